/* foreign_arm.c - differences between arms of two experiments, from their settings. */
#include "foreign_arm.h"

#include "file.h"
#include "settings.h"
#include "sql.h"
#include "text_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_NAMED = 8 };

/* ?1: a run of the arm, ?2: runs of the arms that it is compared with, a JSON list:
 * name, their values, its value. Where the data lie does not count, but what they hold;
 * neither do settings without effect on a side, which follows from others. */
static const char DIFFERENCES[] =
    "WITH other AS (SELECT * FROM training WHERE training_id IN (SELECT training_id FROM run"
    "  WHERE run_id IN (SELECT value FROM json_each(?2)))),"
    " mine AS (SELECT * FROM training WHERE training_id ="
    "  (SELECT training_id FROM run WHERE run_id = ?1)),"
    " named AS (SELECT DISTINCT key FROM config_setting WHERE key <> 'data.path' AND config_id"
    "  IN (SELECT config_id FROM mine UNION SELECT config_id FROM other)),"
    " valued AS (SELECT n.key AS key, (SELECT value FROM config_setting s JOIN mine"
    "   USING (config_id) WHERE s.key = n.key) AS value FROM named n)"
    " SELECT v.key, group_concat(DISTINCT s.value), v.value FROM valued v CROSS JOIN other o"
    "  JOIN config_setting s ON s.config_id = o.config_id AND s.key = v.key"
    "  WHERE v.value IS NOT NULL GROUP BY v.key HAVING NOT max(s.value = v.value)"
    " UNION ALL SELECT 'the data', NULL, NULL FROM mine"
    "  WHERE NOT EXISTS (SELECT 1 FROM other o WHERE o.data_hash = mine.data_hash)"
    " UNION ALL SELECT 'the engine''s numeric version',"
    "  (SELECT group_concat(DISTINCT numeric_version) FROM other), numeric_version FROM mine"
    "  WHERE NOT EXISTS (SELECT 1 FROM other o WHERE o.numeric_version = mine.numeric_version)";

/* A run of each arm; of an arm without results 0. Fresh; NULL: no memory. */
static int64_t *list_runs(const struct compare *compare)
{
    int64_t *runs = calloc((size_t)compare->results->arm_count + 1, sizeof *runs);

    for (int c = 0; c < compare->cell_count && runs != NULL; c++)
        runs[compare->cells[c].row->arm] = compare->cells[c].row->run_id;
    return runs;
}

/* The runs of the arms that the arm `mine` is compared with, as a JSON list: the other
 * one of another experiment, if there are two, otherwise the experiment's own.
 * Fresh. */
static char *list_others(const int64_t *runs, const struct results *results, int mine,
                         bool foreign)
{
    char *list = NULL;
    size_t size = 0;
    FILE *to = text_stream_open(&list, &size);
    const char *comma = "";

    if (to == NULL)
        return NULL;
    fputc('[', to);
    for (int a = 0; a < results->arm_count; a++)
        if (a != mine && runs[a] != 0 && results->arms[a].foreign == foreign) {
            fprintf(to, "%s%lld", comma, (long long)runs[a]);
            comma = ",";
        }
    fputc(']', to);
    return fclose(to) == 0 ? list : NULL;
}

/* Adds a difference to the text, which it frees; fresh. */
static char *add_difference(char *text, sqlite3_stmt *s)
{
    const char *comma = text[0] != '\0' ? ", " : "", *name = sql_text(s, 0);
    char *longer = sqlite3_column_type(s, 2) == SQLITE_NULL
                       ? format_string("%s%s%s", text, comma, name)
                       : format_string("%s%s%s (%.40s; %.40s)", text, comma, name,
                                       setting_word(name, sql_text(s, 1)),
                                       setting_word(name, sql_text(s, 2)));

    free(text);
    return longer;
}

static int describe(char **out, struct store *store, int64_t mine, const char *others,
                    struct error *err)
{
    sqlite3_stmt *s;
    int found = 0, rc = sql_query(store, &s, err, DIFFERENCES, "it", mine, others);

    while (rc == 0 && (rc = sql_step(store, &s, err)) > 0) {
        rc = 0;
        if (++found > MOST_NAMED)
            continue;
        *out = add_difference(*out, s);
        if (*out == NULL) {
            sql_end(&s);
            return error_no_memory(err, "a comparison");
        }
    }
    if (rc == 0 && found > MOST_NAMED) {
        char *longer = format_string("%s and %d more", *out, found - MOST_NAMED);

        free(*out);
        *out = longer;
        rc = longer == NULL ? error_no_memory(err, "a comparison") : 0;
    }
    return rc;
}

int foreign_arm_differences(char **out, const struct compare *compare, struct error *err)
{
    const struct results *results = compare->results;
    int64_t *runs = list_runs(compare);
    int mine = -1, foreign = 0, rc = 0;

    *out = strdup("");
    for (int a = 0; a < results->arm_count; a++)
        if (results->arms[a].foreign) {
            mine = a;
            foreign++;
        }
    if (*out == NULL || runs == NULL) {
        rc = error_no_memory(err, "a comparison");
    } else if (mine >= 0) {
        char *others = list_others(runs, results, mine, foreign > 1);

        rc = others == NULL ? error_no_memory(err, "a comparison")
                            : describe(out, compare->store, runs[mine], others, err);
        free(others);
    }
    free(runs);
    if (rc < 0) {
        free(*out);
        *out = NULL;
    }
    return rc;
}
