select e.error_class, count(*) as errors, max(e.failed_at) as latest from vb_error_report e group by e.error_class
