"""The tables, as numbered steps. A step is never edited once released; a change is a new step."""

from pathlib import Path

from sqlite_utils import Database, Migrations

from core.errors import StoreError

MIGRATIONS = Migrations("bijdehand")


@MIGRATIONS()
def m001_tables(db: Database) -> None:
    """Everything the first version keeps."""
    db.executescript("""
        create table article (
            id text primary key,
            document text not null, -- the whole article as JSON; the other columns are for queries
            language text not null,
            status text not null,
            critical integer not null,
            translation_of text not null,
            version integer not null,
            hash text not null, -- of all but the version, passages included
            updated_at text not null
        ) strict;

        create table passage (
            article_id text not null references article on delete cascade,
            n integer not null, -- 0 is the whole article, 1 its first passage
            text text not null,
            hash text not null,
            primary key (article_id, n)
        ) strict;
        create index passage_hash on passage (hash);

        create table vector (
            hash text not null,
            model text not null,
            data blob not null, -- float32
            unique (hash, model)
        ) strict;

        create table change (
            seq integer primary key autoincrement,
            article_id text not null, -- no reference: it outlives the article
            what text not null check (what in ('saved', 'embedded', 'deleted')),
            at text not null
        ) strict;

        create table person (
            id text primary key, -- random
            role text not null,
            audience text not null, -- a JSON list
            level text not null,
            language text,
            created text not null
        ) strict;

        -- The only table that knows who somebody is on a platform.
        create table identity (
            surface text not null,
            team text not null,
            user text not null,
            person_id text not null references person on delete cascade,
            primary key (surface, team, user)
        ) strict;
        create index identity_person on identity (person_id);

        create table event (
            id integer primary key,
            surface text not null,
            team text not null,
            place text not null,
            message_id text not null,
            person_id text references person on delete set null,
            text text not null, -- scrubbed
            address text, -- JSON, until it is done
            direct integer not null,
            locale text not null,
            state text not null default 'received' check (state in ('received', 'done')),
            leased_until text,
            received_at text not null,
            unique (surface, team, place, message_id)
        ) strict;
        create index event_undone on event (surface, received_at) where state = 'received';
        create index event_person on event (person_id);

        create table answer (
            id text primary key,
            document text not null, -- the whole answer as JSON; the other columns are for counting
            person_id text references person on delete set null,
            surface text not null,
            outcome text not null,
            moment text,
            confidence real not null,
            article_id text,
            article_version integer,
            language text not null,
            created text not null
        ) strict;
        create index answer_created on answer (created);
        create index answer_person on answer (person_id);

        create table outbox (
            id integer primary key,
            event_id integer unique references event on delete set null, -- no event is answered twice
            surface text not null,
            address text, -- JSON, until it is sent
            answer_id text not null references answer on delete cascade,
            created text not null,
            leased_until text,
            attempts integer not null default 0,
            last_error text not null default '',
            sent text
        ) strict;
        create index outbox_unsent on outbox (surface, created) where sent is null;
        create index outbox_answer on outbox (answer_id);

        create table feedback (
            answer_id text not null references answer on delete cascade,
            person_id text not null references person on delete cascade,
            helpful integer,
            reason text not null,
            moment text,
            note text not null,
            at text not null,
            primary key (answer_id, person_id)
        ) strict;
        create index feedback_person on feedback (person_id);
    """)


def applied(db: Database) -> list[str]:
    """Name the steps this database has had, in order."""
    return [step.name for step in MIGRATIONS.applied(db)]


def is_current(db: Database, path: Path) -> bool:
    """Whether every step is applied; refuse what a newer version or another program made."""
    done = applied(db)
    newer = [name for name in done if name not in globals()]  # a step we know is a function of this module
    if newer:
        raise StoreError(
            f"The database {path} was made by a newer bijdehand (it has had {newer[-1]}). "
            "Upgrade bijdehand, or put a backup from before that in its place."
        )
    if not done and db.table_names():
        raise StoreError(f"The database {path} belongs to another program. Choose another file for bijdehand.")
    return not MIGRATIONS.pending(db)
