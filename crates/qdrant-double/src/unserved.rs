//! Answers for methods that the double does not serve.

/// Methods of a service that answer that they are not served.
///
/// Written as `async_trait` would have them: it does not see into macros.
macro_rules! unserved {
    ($($method:ident($request:ty) -> $answer:ty;)+) => {
        $(fn $method<'life0, 'async_trait>(
            &'life0 self,
            _request: tonic::Request<$request>,
        ) -> std::pin::Pin<
            Box<dyn Future<Output = Result<tonic::Response<$answer>, tonic::Status>> + Send + 'async_trait>,
        >
        where
            'life0: 'async_trait,
            Self: 'async_trait,
        {
            let message = concat!("the double does not serve ", stringify!($method));
            Box::pin(std::future::ready(Err(tonic::Status::unimplemented(message))))
        })+
    };
}

pub(crate) use unserved;
