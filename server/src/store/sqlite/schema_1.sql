-- The first schema. Never edited once released: a change is a further file (mod.rs).
-- Times are Unix seconds, ids and digests are raw bytes, words are those of the contract.

CREATE TABLE tenants (
    id         BLOB    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    -- Counts up at each lease: the tenant with the smallest number was served longest ago.
    served     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Whoever is on this machine, while no tenant is configured.
INSERT INTO tenants (id, name, created_at) VALUES (zeroblob(16), '', 0);

CREATE TABLE keys (
    id         TEXT    NOT NULL PRIMARY KEY,
    tenant     BLOB    NOT NULL REFERENCES tenants (id),
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    scopes     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_of_tenant ON keys (tenant, created_at);

CREATE TABLE retention (
    tenant  BLOB    NOT NULL REFERENCES tenants (id),
    -- Empty for the general rule.
    verdict TEXT    NOT NULL,
    days    INTEGER NOT NULL CHECK (days >= 0),
    PRIMARY KEY (tenant, verdict)
) STRICT, WITHOUT ROWID;

CREATE TABLE blobs (
    tenant     BLOB    NOT NULL REFERENCES tenants (id),
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE analyses (
    id            BLOB    NOT NULL PRIMARY KEY,
    tenant        BLOB    NOT NULL REFERENCES tenants (id),
    status        TEXT    NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed')),
    created_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    erased_at     INTEGER,
    digest        BLOB,
    bytes         INTEGER NOT NULL,
    name          TEXT    NOT NULL,
    name_hex      TEXT,
    declared_kind TEXT,
    external_id   TEXT,
    declared_ai   INTEGER,
    metadata      TEXT,
    callback_url  TEXT,
    cache_key     BLOB,
    cached        INTEGER NOT NULL,
    verdict       TEXT,
    report        TEXT,
    -- One verdict, whole or not at all.
    CHECK ((status IN ('done', 'failed')) = (finished_at IS NOT NULL)),
    CHECK (erased_at IS NOT NULL
           OR ((finished_at IS NOT NULL) = (report IS NOT NULL)
               AND (finished_at IS NOT NULL) = (verdict IS NOT NULL)))
) STRICT;
CREATE INDEX analyses_of_tenant ON analyses (tenant, id);
CREATE INDEX analyses_by_external_id ON analyses (tenant, external_id, id) WHERE external_id IS NOT NULL;
CREATE INDEX analyses_by_cache_key ON analyses (tenant, cache_key, finished_at) WHERE status = 'done' AND cached = 0;
CREATE INDEX analyses_of_blob ON analyses (tenant, digest) WHERE digest IS NOT NULL;

CREATE TABLE jobs (
    analysis     BLOB    NOT NULL PRIMARY KEY REFERENCES analyses (id),
    tenant       BLOB    NOT NULL REFERENCES tenants (id),
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    token        BLOB,
    leased_until INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE dead_letters (
    analysis BLOB    NOT NULL PRIMARY KEY REFERENCES analyses (id),
    attempts INTEGER NOT NULL,
    reason   TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    tenant      BLOB    NOT NULL REFERENCES tenants (id),
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL,
    analysis    BLOB    NOT NULL REFERENCES analyses (id),
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created_at);

CREATE TABLE deliveries (
    id           BLOB    NOT NULL PRIMARY KEY,
    tenant       BLOB    NOT NULL REFERENCES tenants (id),
    analysis     BLOB    REFERENCES analyses (id),
    url          TEXT    NOT NULL,
    event        TEXT    NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'dead')),
    due_at       INTEGER NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    token        BLOB,
    leased_until INTEGER NOT NULL DEFAULT 0,
    last         TEXT,
    created_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_of_tenant ON deliveries (tenant, created_at);
CREATE INDEX deliveries_of_analysis ON deliveries (analysis) WHERE analysis IS NOT NULL;

CREATE TABLE signing_keys (
    id         BLOB    NOT NULL PRIMARY KEY,
    tenant     BLOB    NOT NULL REFERENCES tenants (id),
    seed       BLOB    NOT NULL CHECK (length(seed) = 32),
    created_at INTEGER NOT NULL,
    ends_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX signing_keys_of_tenant ON signing_keys (tenant, created_at);

-- What the self-test writes.
CREATE TABLE self_test (id INTEGER PRIMARY KEY CHECK (id = 1), count INTEGER NOT NULL) STRICT;
INSERT INTO self_test (id, count) VALUES (1, 0);
