//! The one task that looks at the database for all streams: once a second, only while somebody watches. It comes back
//! by itself when the database was away or the extension was made anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio::time::{sleep, sleep_until, timeout};
use tokio_postgres::{Client, Error};

use crate::connection::{Target, plain};
use crate::database::Database;
use crate::hub::{Channel, Hub, event};
use crate::looks::coverage::Coverage;
use crate::looks::overview::Overview;
use crate::looks::providers::Providers;
use crate::looks::{Look, Troubles, errors, job, jobs};
use crate::role::Role;
use crate::schedule::{Kind, Schedule};
use crate::slow_look::SlowLook;

/// From one set of queries to the next.
const BEAT: Duration = Duration::from_secs(1);

/// The least for somebody who came. Topics are shared: there are few of which nothing was seen yet, however many come.
const EARLY: Duration = Duration::from_millis(200);

/// A server that has not answered by then is away; its statements end long before.
const SILENCE: Duration = Duration::from_secs(60);

/// Rights may change at any time.
const ROLE_INTERVAL: Duration = Duration::from_secs(5);

/// A session that nobody needs is given back.
const IDLE: Duration = Duration::from_secs(60);

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Lists of jobs that are looked at in one beat, those that waited longest first.
const MOST_LISTS: usize = 8;

/// How long what was seen may be shown to somebody who comes later, beside the time to the next look.
const GRACE: Duration = Duration::from_secs(5);

pub(crate) struct Looker {
    target: Target,
    hub: Arc<Hub>,
    control: bool,
    schedule: Schedule,
    troubles: Troubles,
    overview: Overview,
    providers: Providers,
    coverage: Coverage,
    errors: Option<Value>,
    slow: SlowLook,
    /// Lists of jobs in the order in which they were looked at.
    lists: Vec<jobs::Filter>,
}

/// Why a session ended.
enum End {
    Lost(String),
    /// It answers, but there is nothing to look at.
    Missing(String),
    /// What was there when it began is not there any more, as when the extension is made anew.
    Changed(String),
    Idle,
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error.code().map(|state| &state.code()[..2]) {
            Some("42" | "3F" | "XX") => Self::Changed(plain(&error)),
            _ => Self::Lost(plain(&error)),
        }
    }
}

impl Looker {
    pub(crate) fn new(target: Target, database: Arc<Database>, hub: Arc<Hub>, control: bool) -> Self {
        Self {
            target,
            hub,
            control,
            schedule: Schedule::default(),
            troubles: Troubles::new(),
            overview: Overview::default(),
            providers: Providers::default(),
            coverage: Coverage::default(),
            errors: None,
            slow: SlowLook::new(database),
            lists: Vec::new(),
        }
    }

    /// Never ends.
    pub(crate) async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let end = match self.target.connect().await {
                Ok(client) => self.follow(&client).await,
                Err(error) => End::from(error),
            };
            let message = match end {
                End::Idle => {
                    // The session is given back; the next who comes is worth another.
                    self.hub.came.notified().await;
                    continue;
                }
                End::Changed(_) if began.elapsed() > LONGEST_PAUSE => continue,
                End::Lost(message) | End::Missing(message) | End::Changed(message) => message,
            };
            if self.hub.standing.borrow().connected {
                eprintln!("vb-dashboard: {message}");
            }
            self.hub.stands(|standing| standing.lost(message));
            if began.elapsed() > LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            // Without anybody who watches a database that is away is asked seldom.
            if self.hub.streams() == 0 {
                let _ = timeout(IDLE, self.hub.came.notified()).await;
            }
        }
    }

    /// Looks until the session is lost or nobody has watched for a while.
    async fn follow(&mut self, client: &Client) -> End {
        let mut role = None;
        let mut asked = Instant::now();
        loop {
            let beat = Instant::now();
            if asked.elapsed() >= ROLE_INTERVAL {
                role = None;
            }
            let looked = timeout(SILENCE, async {
                if role.is_none() {
                    role = Some(self.role(client).await?);
                    asked = Instant::now();
                }
                match &role {
                    Some(role) => self.look(client, role, beat).await,
                    None => Ok(()),
                }
            });
            match looked.await {
                Ok(Ok(())) => self.stands_well(role.as_ref()),
                Ok(Err(end)) => return end,
                Err(_) => return End::Lost("the server has not answered for a minute".to_owned()),
            }
            if self.hub.streams() == 0 {
                let came = timeout(IDLE, self.hub.came.notified()).await;
                if came.is_err() && self.hub.streams() == 0 {
                    return End::Idle;
                }
            }
            // Who opens a page of which nothing was seen yet does not wait for the next beat.
            tokio::select! {
                () = sleep_until((beat + BEAT).into()) => {}
                () = self.newcomer() => sleep_until((beat + EARLY).into()).await,
            }
        }
    }

    /// Somebody came whom nothing can be shown yet.
    async fn newcomer(&self) {
        loop {
            self.hub.came.notified().await;
            if self.hub.lacks_something() {
                return;
            }
        }
    }

    async fn role(&self, client: &Client) -> Result<Role, End> {
        Role::of(client, self.control).await?.map_err(|stranger| {
            self.hub.stands(|standing| {
                standing.role = Some(stranger.name);
                standing.database = Some(stranger.database.clone());
            });
            End::Missing(format!(
                "the extension vector_backfill is not installed in database {}: create extension vector_backfill",
                stranger.database
            ))
        })
    }

    fn stands_well(&self, role: Option<&Role>) {
        let Some(role) = role else { return };
        if !self.hub.standing.borrow().connected {
            eprintln!("vb-dashboard: connected to database {} as {}", role.database, role.name);
        }
        let hidden = role
            .hidden()
            .map(str::to_owned)
            .chain(self.troubles.values().cloned())
            .collect();
        let pace = Duration::from_secs(self.schedule.pace().as_secs_f64().ceil() as u64);
        self.hub.stands(|standing| {
            if !standing.connected {
                standing.since = Timestamp::now();
            }
            standing.connected = true;
            standing.message = None;
            standing.role = Some(role.name.clone());
            standing.database = Some(role.database.clone());
            standing.hidden = hidden;
            standing.interval = pace;
            standing.clock_ahead = (role.clock_ahead as f64 / 1e6).round() as i64;
        });
    }

    /// One set of queries: whatever is watched and due. Each counts as of the beat that it was in.
    async fn look(&mut self, client: &Client, role: &Role, beat: Instant) -> Result<(), End> {
        self.take_slow_look();
        let mut due: Vec<_> = Kind::ALL.into_iter().filter(|kind| self.is_due(*kind, beat)).collect();
        let lists = self.due_lists(due.contains(&Kind::Jobs));
        let watched = self.due_jobs(due.contains(&Kind::Watched));
        if due.is_empty() && lists.is_empty() && watched.is_empty() {
            return Ok(());
        }
        self.hub.count_look();
        let mut look = Look {
            client,
            role,
            troubles: &mut self.troubles,
        };
        let mut began = Instant::now();
        for (filter, channel) in lists {
            let payload = jobs::payload(&mut look, &filter).await?;
            channel.publish(event("jobs", &payload), GRACE);
            self.lists.retain(|other| *other != filter);
            self.lists.push(filter);
        }
        if due.contains(&Kind::Jobs) {
            self.schedule.looked(Kind::Jobs, beat, began.elapsed());
            began = Instant::now();
        }
        if !watched.is_empty() {
            let ids: Vec<_> = watched.iter().map(|(id, _)| *id).collect();
            let mut payloads = job::payloads(&mut look, &ids, now(role)).await?;
            for (id, channel) in &watched {
                if let Some(payload) = payloads.remove(id) {
                    channel.publish(event("job", &payload), GRACE);
                }
            }
        }
        if due.contains(&Kind::Watched) {
            self.schedule.looked(Kind::Watched, beat, began.elapsed());
        }
        for kind in &due {
            let began = Instant::now();
            match kind {
                Kind::Jobs | Kind::Watched => continue,
                // Beside the others, which they would hold up.
                Kind::Coverage | Kind::Collections => {
                    self.slow.begin(*kind, role, beat);
                    continue;
                }
                Kind::Errors => self.errors = Some(errors::payload(&mut look).await?),
                Kind::Providers => self.providers.look(&mut look).await?,
                Kind::Work | Kind::Health | Kind::Hour | Kind::Clients => self.overview.look(*kind, &mut look).await?,
            }
            self.schedule.looked(*kind, beat, began.elapsed());
        }
        due.retain(|kind| !kind.is_slow());
        self.show(&due);
        Ok(())
    }

    fn is_due(&self, kind: Kind, beat: Instant) -> bool {
        let is_watched = match kind {
            Kind::Work | Kind::Health | Kind::Hour | Kind::Clients => self.hub.overview.is_watched(),
            Kind::Coverage => self.hub.overview.is_watched() || self.hub.coverage.is_watched(),
            Kind::Errors => self.hub.errors.is_watched(),
            Kind::Providers | Kind::Collections => self.hub.providers.is_watched(),
            Kind::Jobs => !self.hub.watched_lists().is_empty(),
            Kind::Watched => !self.hub.watched_jobs().is_empty(),
        };
        is_watched && self.schedule.is_due(kind, beat) && !(kind.is_slow() && self.slow.is_running())
    }

    /// Some of the lists that are watched if their time has come, else, where looks are quick, those that nothing was seen of yet.
    fn due_lists(&mut self, is_time: bool) -> Vec<(jobs::Filter, Arc<Channel>)> {
        let mut watched = self.hub.watched_lists();
        self.lists
            .retain(|filter| watched.iter().any(|(other, _)| other == filter));
        let is_quick = self.schedule.pause(Kind::Jobs) <= BEAT;
        watched.retain(|(_, channel)| is_time || (is_quick && channel.is_empty()));
        watched.sort_by_key(|(filter, _)| {
            self.lists
                .iter()
                .position(|other| other == filter)
                .map_or(0, |place| place + 1)
        });
        watched.truncate(MOST_LISTS);
        watched
    }

    /// The same for jobs, which are looked at together.
    fn due_jobs(&self, is_time: bool) -> Vec<(i64, Arc<Channel>)> {
        let mut watched = self.hub.watched_jobs();
        let is_quick = self.schedule.pause(Kind::Watched) <= BEAT;
        watched.retain(|(_, channel)| is_time || (is_quick && channel.is_empty()));
        watched
    }

    fn take_slow_look(&mut self) {
        let Some(seen) = self.slow.take() else { return };
        self.schedule.looked(seen.kind, seen.beat, seen.took);
        let name = if seen.kind == Kind::Coverage {
            "vb_coverage"
        } else {
            "vb_collections"
        };
        self.troubles.remove(name);
        self.troubles.extend(seen.troubles);
        let Some(rows) = seen.rows else { return };
        match seen.kind {
            Kind::Coverage => {
                self.coverage = Coverage::new(rows, Timestamp::now());
                self.overview.coverage = self.coverage.of_clients();
            }
            _ => self.providers.collections = Some(rows),
        }
        self.show(&[seen.kind]);
    }

    /// Tells those who watch what was seen.
    fn show(&self, kinds: &[Kind]) {
        let good_for = |kind| self.schedule.pause(kind) + GRACE;
        if kinds.contains(&Kind::Coverage) {
            self.hub
                .coverage
                .publish(event("coverage", &self.coverage.payload()), good_for(Kind::Coverage));
        }
        if self.overview.is_complete
            && kinds
                .iter()
                .any(|kind| Overview::KINDS.contains(kind) || *kind == Kind::Coverage)
        {
            self.hub
                .overview
                .publish(event("overview", &self.overview.payload()), good_for(Kind::Work));
        }
        if self.providers.is_complete
            && kinds
                .iter()
                .any(|kind| matches!(kind, Kind::Providers | Kind::Collections))
        {
            self.hub
                .providers
                .publish(event("providers", &self.providers.payload()), good_for(Kind::Providers));
        }
        if let (true, Some(errors)) = (kinds.contains(&Kind::Errors), &self.errors) {
            self.hub.errors.publish(event("errors", errors), good_for(Kind::Errors));
        }
    }
}

/// By the database's clock.
fn now(role: &Role) -> Timestamp {
    let now = Timestamp::now();
    now.checked_add(SignedDuration::from_micros(role.clock_ahead))
        .unwrap_or(now)
}
