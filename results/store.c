/*
 * store.c - opens the results database: identity, schema, journal mode, transactions.
 */
#include "store.h"

#include "error.h"
#include "file.h"
#include "log.h"
#include "migrations.h"
#include "schema.h"
#include "soundness.h"
#include "statement_cache.h"
#include "store_presence.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STORE_APPLICATION_ID = 0x68726d6c, /* "hrml" */
    STORE_BUSY_TIMEOUT_MS = 30000,
    /* switching the journal mode does not use SQLite's busy handler */
    STORE_MODE_TRIES = 1500,
    STORE_MODE_PAUSE_US = 20000
};

/* One thread uses a connection, so SQLite need not lock it in each call. */
enum { ONE_THREAD = SQLITE_OPEN_NOMUTEX };

/* 64 MiB of cached pages: a plan of 100 000 runs is one transaction, which looks up
 * hashes all over their index. */
#define STORE_CACHE "PRAGMA cache_size = -65536"
/* A reader reads pages in place: to copy them into a cache took more than half of a
 * short query on a large database. The file never shrinks, and a rebuild replaces it.
 * Not on a network, where other machines may change it unseen. */
#define STORE_MAP "PRAGMA mmap_size = 2147418112"
#define STORE_NO_MAP "PRAGMA mmap_size = 0"

static const struct store_schema SCHEMA = { SCHEMA_VERSION, MIGRATIONS };

struct store {
    sqlite3 *db;
    struct statement_cache statements;
    sqlite3_stmt *rollback; /* of the last transaction; NULL: there was none */
    char *path;             /* owned; for messages */
    enum store_mode mode;
    const struct store_schema *schema;
    bool sound;    /* as store_require_sound() found, and no damage was met since */
    bool left_log; /* store_leave_log() was called, and store_start_log() not since */
};

sqlite3 *store_connection(struct store *store)
{
    return store->db;
}

struct statement_cache *store_statements(struct store *store)
{
    return &store->statements;
}

/* The errno of the last failed system call on the database file, its write-ahead log
 * or its journal. */
static int last_errno(sqlite3 *db, int which)
{
    sqlite3_file *file = NULL;
    int number = 0;

    sqlite3_file_control(db, "main", which, &file);
    if (file != NULL && file->pMethods != NULL)
        file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number;
}

static bool says_no_space(int number)
{
    return number == ENOSPC || number == EDQUOT;
}

/* Whether the disk of the database is full; tests it by writing a file. */
static bool is_full(const struct store *store)
{
    struct error fault = { 0 };
    char *directory = strdup(store->path), *slash;
    bool full = false;

    if (directory != NULL && (slash = strrchr(directory, '/')) != NULL) {
        *slash = '\0';
        full = file_probe_space(directory, &fault) == ERROR_NOSPACE;
    }
    free(directory);
    return full;
}

/* Whether a file of SQLite could not grow. SQLite reports this in several ways: with a
 * special code for the log's index, as an I/O error for an exhausted quota; and a later
 * error may hide the first. */
static bool out_of_space(const struct store *store)
{
    sqlite3 *db = store->db;

    return says_no_space(sqlite3_system_errno(db)) ||
           says_no_space(last_errno(db, SQLITE_FCNTL_FILE_POINTER)) ||
           says_no_space(last_errno(db, SQLITE_FCNTL_JOURNAL_POINTER)) ||
           sqlite3_extended_errcode(db) == SQLITE_IOERR_SHMSIZE ||
           (store->mode == STORE_WRITE && is_full(store));
}

/* Whether a failed CHECK of a JSON column is due to a lack of memory: the JSON that
 * this program writes is valid. */
static bool is_unmade_check(sqlite3 *db)
{
    return sqlite3_extended_errcode(db) == SQLITE_CONSTRAINT_CHECK &&
           strstr(sqlite3_errmsg(db), "json_valid") != NULL;
}

int store_error(struct store *store, const char *what, struct error *err)
{
    enum error_code code = ERROR_DATABASE;

    switch (sqlite3_errcode(store->db) & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        code = ERROR_BUSY;
        break;
    case SQLITE_FULL:
        code = ERROR_NOSPACE;
        break;
    case SQLITE_NOMEM:
        code = ERROR_NOMEM;
        break;
    case SQLITE_CONSTRAINT:
        if (is_unmade_check(store->db))
            code = ERROR_NOMEM;
        break;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (out_of_space(store))
            code = ERROR_NOSPACE;
        break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        store->sound = false;
        return error_set(err, code,
                         "%s: %.60s: %s (SQLite %d); hrmlab rebuild makes a new one from the "
                         "specs and journals",
                         store->path, what, sqlite3_errmsg(store->db),
                         sqlite3_extended_errcode(store->db));
    default:
        break;
    }
    /* SQLite's message may be about a consequence of the full disk. */
    const char *why = code == ERROR_NOSPACE ? strerror(ENOSPC)
                      : code == ERROR_NOMEM && is_unmade_check(store->db)
                          ? "no memory to check JSON (or it is none)"
                      : code == ERROR_NOMEM ? "out of memory"
                                            : sqlite3_errmsg(store->db);
    return error_set(err, code, "%s: %.60s: %s (SQLite %d)", store->path, what, why,
                     sqlite3_extended_errcode(store->db));
}

static int execute(struct store *store, const char *sql, const char *what, struct error *err)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_error(store, what, err);
    return 0;
}

/* Runs sql, which returns one integer. */
static int read_integer(struct store *store, const char *sql, int64_t *value, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        rc = store_error(store, "read", err);
    else
        *value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return rc;
}

/* Authorizer of a reader: allows reading and refuses every action that names files or
 * changes anything, so that no query can do it. (SQLite itself refuses to update its
 * schema's table.) */
static int authorize_reading(void *user, int action, const char *first, const char *second,
                             const char *database, const char *trigger)
{
    (void)user, (void)database, (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
        return SQLITE_OK;
    case SQLITE_FUNCTION:
        return second != NULL && strcmp(second, "load_extension") == 0 ? SQLITE_DENY
                                                                       : SQLITE_OK;
    /* of the schema: asked about when json_each() declares its columns */
    case SQLITE_UPDATE:
        return strcmp(first, "sqlite_master") == 0 ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_PRAGMA: /* allowed without an argument: it reads a value */
        return second == NULL || strcmp(first, "table_info") == 0 ||
                       strcmp(first, "quick_check") == 0 ||
                       strcmp(first, "integrity_check") == 0
                   ? SQLITE_OK
                   : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

/* The identity in a database file's header. */
struct identity {
    int64_t application, version, objects;
};

static int read_identity(struct store *store, struct identity *out, struct error *err)
{
    int rc = read_integer(store, "PRAGMA application_id", &out->application, err);

    if (rc == 0)
        rc = read_integer(store, "PRAGMA user_version", &out->version, err);
    if (rc == 0)
        rc = read_integer(store, "SELECT count(*) FROM sqlite_schema", &out->objects, err);
    return rc;
}

static int judge_identity(const char *path, const struct identity *identity, int known,
                          struct error *err)
{
    if (identity->application == 0 && identity->version == 0 && identity->objects == 0)
        return 0;
    if (identity->application != STORE_APPLICATION_ID)
        return error_set(err, ERROR_DATABASE,
                         "%s is a database of another program (application_id %lld, expected "
                         "%d); choose another workspace (--workspace) or move the file away",
                         path, (long long)identity->application, STORE_APPLICATION_ID);
    if (identity->version > known)
        return error_set(err, ERROR_DATABASE,
                         "%s was written by a newer hrmlab (version %lld of the database, this "
                         "program knows up to %d); use that release, or another workspace",
                         path, (long long)identity->version, known);
    if (identity->version < 1)
        return error_set(err, ERROR_DATABASE,
                         "%s has version %lld, which no release of hrmlab has written", path,
                         (long long)identity->version);
    return 0;
}

/*
 * Checks that the file is an hrmlab database. *version: its user_version, 0 for an
 * empty database. Writes nothing, so that another program's file is unchanged.
 */
static int check_identity(struct store *store, int64_t *version, struct error *err)
{
    struct identity identity = { 0 };
    /* one state of the file: another command may be about to make the database */
    bool begins = sqlite3_get_autocommit(store->db) != 0;
    int rc = begins ? execute(store, "BEGIN", "look at", err) : 0;

    if (rc == 0)
        rc = read_identity(store, &identity, err);
    bool foreign = rc != 0 && sqlite3_errcode(store->db) == SQLITE_NOTADB;
    if (rc == 0 && begins) /* nothing was written; on failure the store is closed */
        rc = execute(store, "ROLLBACK", "look at", err);
    *version = identity.version;
    if (foreign)
        return error_set(err, ERROR_DATABASE,
                         "%s is not an SQLite database; choose another workspace "
                         "(--workspace) or move the file away",
                         store->path);
    return rc != 0 ? rc : judge_identity(store->path, &identity, store->schema->version, err);
}

static int quick_check(struct store *store, bool *sound, struct error *err)
{
    int rc = soundness_check(store->db, sound);

    if (rc == SQLITE_NOMEM)
        return error_no_memory(err, "a check of the database");
    return rc == SQLITE_OK ? 0 : store_error(store, "PRAGMA quick_check", err);
}

bool store_allows_threads(void)
{
    return sqlite3_threadsafe() != 0;
}

int store_is_sound(struct store *store, bool *sound, struct error *err)
{
    /* The check reads every page: a third of its time would be copying them. */
    bool map = store->mode == STORE_WRITE && !file_is_on_network(store->path);
    int rc = map ? execute(store, STORE_MAP, "set up", err) : 0;

    if (rc == 0)
        rc = quick_check(store, sound, err);
    /* A failed allocation can make it report a constraint as violated. Real damage is
     * found again by a second check. */
    if (rc == 0 && !*sound)
        rc = quick_check(store, sound, err);
    if (rc == 0 && map)
        rc = execute(store, STORE_NO_MAP, "set up", err);
    return rc;
}

bool store_is_as_left(const struct store *store)
{
    return soundness_is_noted(store->path);
}

static int say_damaged(const struct store *store, struct error *err)
{
    return error_set(
        err, ERROR_DATABASE,
        "%s is damaged; hrmlab rebuild makes a new one from the specs and journals",
        store->path);
}

int store_require_sound(struct store *store, struct error *err)
{
    bool sound = store_is_as_left(store);
    int rc = sound ? 0 : store_is_sound(store, &sound, err);

    store->sound = rc == 0 && sound;
    return rc < 0 || sound ? rc : say_damaged(store, err);
}

/* Upgrades the tables from `version` step by step, then creates the views and triggers
 * again from the end of schema.sql. */
static int upgrade(struct store *store, int64_t version, struct error *err)
{
    static const char VIEWS[] = "DROP VIEW";

    if (version == store->schema->version)
        return 0; /* another process has upgraded it meanwhile */
    int64_t from = version;
    bool sound = false;
    int rc = store_is_sound(store, &sound, err);
    const char *views = strstr(SCHEMA_SQL, VIEWS);

    assert(views != NULL);
    if (rc == 0 && !sound)
        rc = say_damaged(store, err);
    for (; rc == 0 && version < store->schema->version; version++)
        rc = execute(store, store->schema->migrations[version], "upgrade", err);
    if (rc == 0)
        rc = execute(store, views, "upgrade", err);
    if (rc == 0)
        log_info("%s: upgrading from version %lld of the database to %d", store->path,
                 (long long)from, store->schema->version);
    return rc;
}

/* Creates the tables, or upgrades those of an older release. If several processes try,
 * the first does it and the others find it done when they get the lock. */
static int bring_up_to_date(struct store *store, struct error *err)
{
    char pragma[64];
    int64_t version = 0;
    int rc = store_begin(store, err);

    if (rc != 0)
        return rc;
    rc = check_identity(store, &version, err);
    if (rc == 0)
        rc = version == 0 ? execute(store, SCHEMA_SQL, "create tables", err)
                          : upgrade(store, version, err);
    if (rc == 0) {
        snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d", store->schema->version);
        rc = execute(store, pragma, "upgrade", err);
    }
    if (rc == 0)
        rc = store_commit(store, err);
    if (rc != 0)
        store_rollback(store);
    return rc;
}

/* Sets WAL, or TRUNCATE on file systems where WAL does not work. Retries, because
 * another process may be switching at the same time, or have left the log. */
static int set_journal_mode(struct store *store, struct error *err)
{
    const char *sql = file_is_on_network(store->path) ? "PRAGMA journal_mode = TRUNCATE"
                                                      : "PRAGMA journal_mode = WAL";
    int code = SQLITE_BUSY;

    for (int i = 0; i < STORE_MODE_TRIES && code == SQLITE_BUSY; i++) {
        if (i > 0)
            usleep(STORE_MODE_PAUSE_US);
        code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    }
    return code == SQLITE_OK ? 0 : store_error(store, "set the journal mode", err);
}

static int open_for_writing(struct store *store, const char *workspace, struct error *err)
{
    int64_t version = 0;
    int rc = file_make_directories(workspace, err);

    if (rc != 0)
        return rc;
    if (access(workspace, R_OK | X_OK) != 0)
        return error_set(err, error_code_from_errno(errno),
                         "%s cannot be opened: %s; choose another workspace (--workspace)",
                         workspace, strerror(errno));
    if (access(workspace, W_OK) != 0)
        return error_set(err, error_code_from_errno(errno),
                         "%s cannot be written to: %s; results can be read here, or choose "
                         "another workspace (--workspace)",
                         workspace, strerror(errno));
    if (sqlite3_open_v2(store->path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | ONE_THREAD,
                        NULL) != SQLITE_OK)
        return store_error(store, "open", err);
    sqlite3_busy_timeout(store->db, STORE_BUSY_TIMEOUT_MS);
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    rc = check_identity(store, &version, err);
    if (rc == 0)
        rc = set_journal_mode(store, err);
    if (rc == 0)
        rc =
            execute(store, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF; " STORE_CACHE,
                    "set up", err);
    if (rc == 0 && version != store->schema->version)
        rc = bring_up_to_date(store, err);
    /* not before: an upgrade may drop a table that others refer to and make it anew */
    return rc < 0 ? rc : execute(store, "PRAGMA foreign_keys = ON", "set up", err);
}

/* Opens the file and reads from it. */
static int try_reading(struct store *store, const char *name, int flags, struct error *err)
{
    int64_t ignored;

    sqlite3_close(store->db);
    store->db = NULL;
    if (sqlite3_open_v2(name, &store->db, SQLITE_OPEN_READONLY | ONE_THREAD | flags, NULL) !=
        SQLITE_OK)
        return store_error(store, "open", err);
    sqlite3_busy_timeout(store->db, STORE_BUSY_TIMEOUT_MS);
    return read_integer(store, "SELECT count(*) FROM sqlite_schema", &ignored, err);
}

/* "file:PATH?immutable=1" with the path's special characters escaped; fresh or NULL. */
static char *immutable_name(const char *path)
{
    static const char PREFIX[] = "file:", SUFFIX[] = "?immutable=1";
    char *name = malloc(sizeof PREFIX + strlen(path) * 3 + sizeof SUFFIX);
    char *to = name;

    if (name == NULL)
        return NULL;
    to = stpcpy(to, PREFIX);
    for (const unsigned char *p = (const unsigned char *)path; *p != '\0'; p++) {
        if (*p == '%' || *p == '?' || *p == '#' || *p < 0x21 || *p > 0x7e)
            to += sprintf(to, "%%%02X", *p);
        else
            *to++ = (char)*p;
    }
    memcpy(to, SUFFIX, sizeof SUFFIX);
    return name;
}

/* Whether the last error means that this process may not write to the directory. In WAL
 * mode SQLite must write beside the database even to read it. */
static bool may_not_write(struct store *store)
{
    int code = sqlite3_errcode(store->db) & 0xff;

    return code == SQLITE_CANTOPEN || code == SQLITE_READONLY;
}

/* Opens a database in a directory that this process may not write to. Without a WAL
 * file nobody is writing and the file is complete, so it can be read as immutable. */
static int read_as_it_is(struct store *store, struct error *err)
{
    char *wal = format_string("%s-wal", store->path);
    char *name = immutable_name(store->path);
    struct stat status;
    int rc;

    if (wal == NULL || name == NULL)
        rc = error_no_memory(err, "a file name");
    else if (stat(wal, &status) == 0 && status.st_size > 0)
        rc =
            error_set(err, ERROR_ENVIRONMENT,
                      "%s: what was written last lies in %s, which only a process that may "
                      "write there can read; any hrmlab command of the workspace's owner, such "
                      "as hrmlab status, puts it in order",
                      store->path, wal);
    else
        rc = try_reading(store, name, SQLITE_OPEN_URI, err);
    free(wal);
    free(name);
    return rc;
}

/* *by_writer: the error is that the database is of an older release, or in the middle
 * of a transaction whose process was killed; a process that opens it for writing
 * upgrades it, or takes that back. */
static int open_for_reading(struct store *store, bool *by_writer, struct error *err)
{
    int64_t version = 0;
    int rc = store_check_file(store->path, err);

    if (rc != 0)
        return rc;
    rc = try_reading(store, store->path, 0, err);
    *by_writer = rc != 0 && sqlite3_extended_errcode(store->db) == SQLITE_READONLY_ROLLBACK;
    if (*by_writer)
        return error_set(
            err, ERROR_ENVIRONMENT,
            "%s: a command was killed in the middle of writing to it, which only a "
            "process that may write there can take back; any hrmlab command of the "
            "workspace's owner, such as hrmlab status, does",
            store->path);
    if (rc != 0 && access(store->path, R_OK) != 0)
        return error_set(err, ERROR_ENVIRONMENT,
                         "%s: %s; whoever owns the workspace may let you read it (chmod a+rX)",
                         store->path, strerror(errno));
    if (rc != 0 && may_not_write(store))
        rc = read_as_it_is(store, err);
    if (rc == 0 || sqlite3_errcode(store->db) == SQLITE_NOTADB)
        rc = check_identity(store, &version, err);
    if (rc == 0 && version == 0)
        rc = error_set(err, ERROR_ABSENT,
                       "%s is empty: nothing was queued in this workspace yet", store->path);
    *by_writer = rc == 0 && version < store->schema->version;
    if (*by_writer)
        rc = error_set(err, ERROR_DATABASE,
                       "%s is of an older release (version %lld of the database, now %d) and "
                       "may not be written to; a copy that may is upgraded by any command",
                       store->path, (long long)version, store->schema->version);
    /* a reader writes nothing, temporary files neither */
    if (rc == 0)
        rc = execute(store, "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; " STORE_CACHE,
                     "set up", err);
    if (rc == 0 && !file_is_on_network(store->path))
        rc = execute(store, STORE_MAP, "set up", err);
    if (rc == 0)
        sqlite3_set_authorizer(store->db, authorize_reading, NULL);
    return rc;
}

static int open_database(struct store **out, const char *workspace, const char *name,
                         enum store_mode mode, const struct store_schema *schema,
                         struct error *err);

/* Opens it for writing, which puts it in order, then for reading. */
static int reopen_in_order(struct store **out, const char *workspace, const char *name,
                           const struct store_schema *schema, struct error *err)
{
    struct store *writer;
    int rc = open_database(&writer, workspace, name, STORE_WRITE, schema, err);

    if (rc != 0)
        return rc;
    store_close(writer);
    return open_database(out, workspace, name, STORE_READ, schema, err);
}

/* Tables are STRICT. */
static int check_library(struct error *err)
{
    enum { LEAST_VERSION = 3037000 };

    /* Nobody asks how much memory SQLite has: to count it takes a lock per allocation,
     * a tenth of the time of many inserts. Refused, without harm, from the second
     * database on. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return sqlite3_libversion_number() >= LEAST_VERSION
               ? 0
               : error_set(err, ERROR_ENVIRONMENT,
                           "the SQLite library of this machine is %s; expected 3.37 or newer "
                           "(LD_LIBRARY_PATH names the directory of another one)",
                           sqlite3_libversion());
}

static int open_database(struct store **out, const char *workspace, const char *name,
                         enum store_mode mode, const struct store_schema *schema,
                         struct error *err)
{
    bool by_writer = false;
    int rc = check_library(err);
    struct store *store = rc == 0 ? calloc(1, sizeof *store) : NULL;

    *out = NULL;
    if (rc != 0)
        return rc;
    if (store == NULL)
        return error_set(err, ERROR_NOMEM, "no memory for the results database");
    store->mode = mode;
    store->schema = schema;
    store->path = file_join(workspace, name);
    rc = store->path == NULL ? error_set(err, ERROR_NOMEM, "no memory for the results database")
                             : soundness_check_files(store->path, err);
    if (rc == 0 && mode == STORE_WRITE)
        rc = open_for_writing(store, workspace, err);
    else if (rc == 0)
        rc = open_for_reading(store, &by_writer, err);
    bool can = by_writer && access(store->path, W_OK) == 0 && access(workspace, W_OK) == 0;
    if (rc != 0) {
        store_close(store);
        return can ? reopen_in_order(out, workspace, name, schema, err) : rc;
    }
    *out = store;
    return 0;
}

int store_open_file(struct store **out, const char *workspace, const char *name,
                    enum store_mode mode, struct error *err)
{
    return open_database(out, workspace, name, mode, &SCHEMA, err);
}

int store_open_schema(struct store **out, const char *workspace, enum store_mode mode,
                      const struct store_schema *schema, struct error *err)
{
    return open_database(out, workspace, "results.db", mode, schema, err);
}

int store_open(struct store **out, const char *workspace, enum store_mode mode,
               struct error *err)
{
    int rc = store_check_workspace(workspace, mode == STORE_READ, err);

    *out = NULL;
    return rc != 0 ? rc : store_open_file(out, workspace, "results.db", mode, err);
}

/* Reads the identity from the file's first bytes, for a file that SQLite cannot read.
 * *found false: not an SQLite database. */
static int read_header(struct identity *out, bool *found, const char *path, struct error *err)
{
    static const char MAGIC[] = "SQLite format 3";
    unsigned char bytes[100] = { 0 };
    FILE *file = fopen(path, "rbe");

    *found = false;
    if (file == NULL)
        return error_set(err, error_code_from_errno(errno), "open %s: %s", path,
                         strerror(errno));
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    *found = size == sizeof bytes && memcmp(bytes, MAGIC, sizeof MAGIC) == 0;
    *out = (struct identity){ .objects = 1 };
    for (int i = 0; i < 4; i++) { /* big-endian, at bytes 68 and 60 */
        out->application = out->application << 8 | bytes[68 + i];
        out->version = out->version << 8 | bytes[60 + i];
    }
    return 0;
}

int store_check_owner(const char *workspace, struct error *err)
{
    struct store store = { .mode = STORE_READ, .path = file_join(workspace, "results.db") };
    struct identity identity = { 0 };
    bool found = true;
    int rc = store.path == NULL
                 ? error_set(err, ERROR_NOMEM, "no memory for the results database")
                 : soundness_check_files(store.path, err);

    if (rc == 0 && file_exists(store.path)) {
        if (try_reading(&store, store.path, 0, err) != 0 ||
            read_identity(&store, &identity, err) != 0)
            rc = read_header(&identity, &found, store.path, err);
        if (rc == 0 && found)
            rc = judge_identity(store.path, &identity, SCHEMA_VERSION, err);
    }
    sqlite3_close(store.db);
    free(store.path);
    return rc;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    bool sound = store->sound && !store_is_replaced(store);
    statement_cache_clear(&store->statements);
    sqlite3_finalize(store->rollback);
    sqlite3_close(store->db);
    if (sound)
        soundness_note(store->path);
    free(store->path);
    free(store);
}

int store_data_version(struct store *store, int64_t *out, struct error *err)
{
    return read_integer(store, "PRAGMA data_version", out, err);
}

bool store_is_replaced(struct store *store)
{
    int moved = 0;

    return sqlite3_file_control(store->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) ==
               SQLITE_OK &&
           moved != 0;
}

/* A transaction begins only when its ROLLBACK is prepared, which then needs no memory:
 * often it is for lack of it that there is one. Each time anew, as another transaction
 * may have changed the schema, whereupon SQLite prepares statements again. */
static int prepare_rollback(struct store *store, struct error *err)
{
    sqlite3_finalize(store->rollback);
    store->rollback = NULL;
    if (sqlite3_prepare_v2(store->db, "ROLLBACK", -1, &store->rollback, NULL) == SQLITE_OK)
        return 0;
    return store_error(store, "begin a transaction", err);
}

int store_begin(struct store *store, struct error *err)
{
    assert(sqlite3_get_autocommit(store->db)); /* transactions do not nest */
    int rc = prepare_rollback(store, err);

    if (rc == 0)
        rc = execute(store, store->mode == STORE_WRITE ? "BEGIN IMMEDIATE" : "BEGIN",
                     "begin a transaction", err);
    if (rc == ERROR_BUSY)
        return error_set(err, ERROR_BUSY,
                         "%s: another command is writing to it, a rebuild perhaps; try again "
                         "when it is done",
                         store->path);
    /* The process that replaces the file holds this lock meanwhile. */
    if (rc == 0 && store->mode == STORE_WRITE && store_is_replaced(store)) {
        store_rollback(store);
        rc = error_set(err, ERROR_BUSY,
                       "%s was replaced or removed while this command was using it (by a "
                       "rebuild?): nothing was written; give the command again",
                       store->path);
    }
    return rc;
}

int store_commit(struct store *store, struct error *err)
{
    assert(!sqlite3_get_autocommit(store->db));
    return execute(store, "COMMIT", "commit", err);
}

void store_leave_log(struct store *store)
{
    if (file_is_on_network(store->path)) /* there is none */
        return;
    sqlite3_exec(store->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    store->left_log = true;
}

void store_start_log(struct store *store)
{
    struct error ignored;

    if (store->left_log && set_journal_mode(store, &ignored) == 0)
        store->left_log = false;
}

void store_rollback(struct store *store)
{
    if (sqlite3_get_autocommit(store->db))
        return;
    sqlite3_step(store->rollback);
    sqlite3_reset(store->rollback);
}
