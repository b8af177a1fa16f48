/* mark.c - the table of marks. */
#include "mark.h"

#include "arm_find.h"
#include "clock.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "sql.h"
#include "status_query.h"
#include "store.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "hrmlab-marks-1";

const char *mark_kind_name(enum mark_kind kind)
{
    static const char *const NAMES[MARK_KIND_COUNT] = { "note", "tag", "keep" };

    return NAMES[kind];
}

/* ---- targets ---- */

static int knows_experiment(struct store *store, bool *found, const char *name,
                            struct error *err)
{
    int64_t id;

    return sql_int(store, &id, found, err,
                   "SELECT experiment_id FROM experiment WHERE name = ?1", "t", name);
}

static int find_arm(struct mark_target *out, struct store *store, const char *arm,
                    struct error *err)
{
    struct results *all = NULL, *found = NULL;
    int rc = results_load(&all, store, out->experiment, NULL, 0, RESULTS_ARMS, err);

    if (rc == 0)
        rc = arm_find(&found, store, all, arm, err);
    if (rc == 0) {
        const char *label = all->arms[found->rows[0].arm].label;

        if (strlen(label) < sizeof out->arm)
            snprintf(out->arm, sizeof out->arm, "%s", label);
        else
            rc = error_set(err, ERROR_FORMAT, "the arm's label is longer than %d bytes",
                           MARK_ARM_SIZE - 1);
    }
    results_destroy(found);
    results_destroy(all);
    return rc;
}

static bool is_hash(const char *name)
{
    size_t length = strspn(name, "0123456789abcdefABCDEF");

    return length >= 4 && name[length] == '\0';
}

int mark_find_target(struct mark_target *out, struct store *store, const char *name,
                     struct error *err)
{
    const char *colon = strchr(name, ':');
    size_t length = colon != NULL ? (size_t)(colon - name) : strlen(name);
    char directory[160];
    bool found = false;

    *out = (struct mark_target){ 0 };
    if (strcmp(name, "last") == 0)
        return experiment_name(store, out->experiment, name, err);
    if (length < sizeof out->experiment) {
        memcpy(out->experiment, name, length);
        int rc = knows_experiment(store, &found, out->experiment, err);
        if (rc < 0)
            return rc;
    }
    if (found)
        return colon == NULL ? 0
                             : find_arm(out, store, colon + 1 + strspn(colon + 1, " "), err);
    out->experiment[0] = '\0';
    if (is_hash(name))
        return status_find_run(store, name, out->run_hash, directory, err);
    return error_set(err, ERROR_ABSENT,
                     "\"%.100s\": expected an experiment, EXPERIMENT:ARM, or the first 4 or "
                     "more digits of a run's hash; hrmlab status lists the experiments",
                     name);
}

/* ---- marks ---- */

int mark_add(struct store *store, const struct mark_target *target, enum mark_kind kind,
             const char *text, struct error *err)
{
    char now[CLOCK_ISO_SIZE];

    clock_iso_now(now);
    return sql_run(store, err,
                   "INSERT OR IGNORE INTO mark (kind, experiment, arm, run_hash, text, made_at)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   "tttttt", mark_kind_name(kind), target->experiment, target->arm,
                   target->run_hash, text, now);
}

#define OF_TARGET "kind = ?1 AND experiment = ?2 AND arm = ?3 AND run_hash = ?4"

int mark_delete(struct store *store, int *count, const struct mark_target *target,
                enum mark_kind kind, const char *text, struct error *err)
{
    int64_t there = 0;
    int rc = sql_int(
        store, &there, NULL, err,
        "SELECT count(*) FROM mark WHERE " OF_TARGET " AND (?5 IS NULL OR text = ?5)", "ttttt",
        mark_kind_name(kind), target->experiment, target->arm, target->run_hash, text);

    *count = (int)there;
    if (rc < 0)
        return rc;
    return sql_run(
        store, err, "DELETE FROM mark WHERE " OF_TARGET " AND (?5 IS NULL OR text = ?5)",
        "ttttt", mark_kind_name(kind), target->experiment, target->arm, target->run_hash, text);
}

int mark_delete_experiment(struct store *store, const char *experiment, struct error *err)
{
    return sql_run(store, err, "DELETE FROM mark WHERE experiment = ?1", "t", experiment);
}

int mark_find_kept(struct store *store, char **what, const char *experiment, struct error *err)
{
    return sql_find_text(
        store, what, err,
        "SELECT CASE WHEN m.run_hash <> '' THEN 'its run ' || substr(m.run_hash, 1, 12)"
        "  WHEN m.arm <> '' THEN 'its arm ' || m.arm ELSE 'it' END FROM mark m"
        " WHERE m.kind = 'keep' AND (m.experiment = ?1 OR (m.run_hash <> '' AND EXISTS"
        "  (SELECT 1 FROM run r JOIN arm_run x USING (run_id) JOIN arm a USING (arm_id)"
        "   JOIN experiment e USING (experiment_id) WHERE r.hash = m.run_hash AND e.name = ?1)"
        "  AND NOT EXISTS (SELECT 1 FROM run r JOIN arm_run x USING (run_id)"
        "   JOIN arm a USING (arm_id) JOIN experiment e USING (experiment_id)"
        "   WHERE r.hash = m.run_hash AND e.name <> ?1)))"
        " ORDER BY m.run_hash, m.arm LIMIT 1",
        "t", experiment);
}

/* ---- seeing them ---- */

/* ?1: the kind or NULL; ?2 to ?4: the target, ?2 NULL: all; ?5: whether its parts
 * count. */
static const char SELECT[] =
    "SELECT kind, experiment, arm, run_hash, text, made_at FROM mark m"
    " WHERE (?1 IS NULL OR kind = ?1) AND (?2 IS NULL"
    "  OR (experiment = ?2 AND arm = ?3 AND run_hash = ?4)"
    "  OR (?5 AND ((experiment = ?2 AND ?2 <> '') OR (run_hash <> '' AND EXISTS"
    "   (SELECT 1 FROM run r JOIN arm_run x USING (run_id) JOIN arm a USING (arm_id)"
    "    JOIN experiment e USING (experiment_id) WHERE r.hash = m.run_hash"
    "    AND e.name = ?2 AND (?3 = '' OR a.label = ?3))))))"
    " ORDER BY experiment, arm, run_hash, kind, made_at, text";

static int query_marks(struct store *store, sqlite3_stmt **s, enum mark_kind kind,
                       const struct mark_target *target, bool parts, struct error *err)
{
    const char *name = kind < MARK_KIND_COUNT ? mark_kind_name(kind) : NULL;

    return sql_query(store, s, err, SELECT, "tttti", name,
                     target != NULL ? target->experiment : NULL,
                     target != NULL ? target->arm : NULL,
                     target != NULL ? target->run_hash : NULL, (int64_t)parts);
}

int mark_table(struct table **out, struct store *store, enum mark_kind kind,
               const struct mark_target *target, bool parts, struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "kind", .type = TABLE_TEXT, .fold = true },
        { .name = "experiment", .type = TABLE_TEXT, .fold = true },
        { .name = "arm", .type = TABLE_TEXT, .fold = true },
        { .name = "run", .type = TABLE_TEXT, .people_only = true, .fold = true },
        { .name = "run_hash", .type = TABLE_TEXT, .machine_only = true },
        { .name = "text", .type = TABLE_TEXT, .least = 30 },
        { .name = "made_at", .title = "made at", .type = TABLE_TEXT, .whole = true, .drop = 1 },
    };
    sqlite3_stmt *s;
    int rc = table_create(out, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, err);

    if (rc == 0)
        rc = query_marks(store, &s, kind, target, parts, err);
    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        char run[13];

        rc = 0;
        snprintf(run, sizeof run, "%.12s", sql_text(s, 3));
        table_row(*out);
        table_text(*out, sql_text(s, 0));
        table_text(*out, sql_text(s, 1));
        table_text(*out, sql_text(s, 2));
        table_text(*out, run);
        table_text(*out, sql_text(s, 3));
        table_text(*out, sql_text(s, 4));
        table_text(*out, sql_text(s, 5));
    }
    return rc;
}

int mark_each_line(struct store *store, const char *experiment, mark_line_fn *each,
                   void *context, struct error *err)
{
    struct mark_target target = { 0 };
    sqlite3_stmt *s;

    snprintf(target.experiment, sizeof target.experiment, "%s", experiment);
    int rc = query_marks(store, &s, MARK_KIND_COUNT, &target, true, err);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        const char *arm = sql_text(s, 2), *run = sql_text(s, 3), *text = sql_text(s, 4);
        bool kept = strcmp(sql_text(s, 0), mark_kind_name(MARK_KEEP)) == 0;
        char *line = format_string("%s%s%s%.12s%s%s", kept ? "kept" : sql_text(s, 0),
                                   arm[0] != '\0'   ? kept ? ": arm " : " of "
                                   : run[0] != '\0' ? kept ? ": run " : " of run "
                                                    : "",
                                   arm, run, text[0] != '\0' ? ": " : "", text);

        rc = line == NULL ? error_no_memory(err, "a note") : 0;
        if (rc == 0)
            each(context, line);
        else
            sql_end(&s);
        free(line);
    }
    return rc;
}

static void add_note(void *context, const char *line)
{
    table_add_note(context, line);
}

int mark_add_notes(struct table *table, struct store *store, const char *experiment,
                   struct error *err)
{
    return mark_each_line(store, experiment, add_note, table, err);
}

/* ---- JSON ---- */

static const char *const MEMBERS[] = { "kind", "experiment", "arm", "run", "text", "made_at" };
enum { MEMBER_COUNT = sizeof MEMBERS / sizeof *MEMBERS };

int mark_to_json(struct store *store, cJSON **out, struct error *err)
{
    cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "marks");
    bool complete = cJSON_AddStringToObject(json, "format", FORMAT) != NULL && list != NULL;
    sqlite3_stmt *s;
    int rc = query_marks(store, &s, MARK_KIND_COUNT, NULL, false, err);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        cJSON *item = cJSON_CreateObject();

        rc = 0;
        complete = complete && item != NULL;
        for (int i = 0; i < MEMBER_COUNT; i++)
            complete =
                cJSON_AddStringToObject(item, MEMBERS[i], sql_text(s, i)) != NULL && complete;
        cJSON_AddItemToArray(list, item);
    }
    if (rc == 0 && !complete)
        rc = error_no_memory(err, "marks");
    if (rc < 0) {
        cJSON_Delete(json);
        json = NULL;
    }
    *out = json;
    return rc;
}

static int add_from_json(struct store *store, const cJSON *item, struct error *err)
{
    const char *texts[MEMBER_COUNT];
    bool known = false;

    for (int i = 0; i < MEMBER_COUNT; i++) {
        const cJSON *member = json_member(item, MEMBERS[i]);

        if (!cJSON_IsString(member))
            return error_set(err, ERROR_FORMAT, "a mark without the text \"%s\"", MEMBERS[i]);
        texts[i] = member->valuestring;
    }
    for (int k = 0; k < MARK_KIND_COUNT; k++)
        known = known || strcmp(texts[0], mark_kind_name((enum mark_kind)k)) == 0;
    if (!known)
        return error_set(err, ERROR_FORMAT, "a mark of the unknown kind \"%.40s\"", texts[0]);
    return sql_run(store, err,
                   "INSERT OR IGNORE INTO mark (kind, experiment, arm, run_hash, text, made_at)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   "tttttt", texts[0], texts[1], texts[2], texts[3], texts[4], texts[5]);
}

int mark_from_json(struct store *store, const cJSON *json, struct error *err)
{
    const cJSON *format = json_member(json, "format"), *list = json_member(json, "marks");
    int rc = 0;

    if (!cJSON_IsString(format) || strcmp(format->valuestring, FORMAT) != 0 ||
        !cJSON_IsArray(list))
        return error_set(err, ERROR_FORMAT, "expected \"format\": \"%s\" and a list \"marks\"",
                         FORMAT);
    for (const cJSON *item = list->child; item != NULL && rc == 0; item = item->next)
        rc = add_from_json(store, item, err);
    return rc;
}
