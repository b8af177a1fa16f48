/* bench_baseline.c - merging and comparing baselines. */
#include "bench_baseline.h"

#include <stdbool.h>
#include <string.h>

static const double SLOWER = 0.05; /* relative loss of a share that is reported */
static const char *const MACHINE_KEYS[] = { "cpu", "kernel_set", "blas_core" };
static const char *const SHARE_KEYS[] = { "train_share", "eval_share" };
enum { MACHINE_KEY_COUNT = 3, SHARE_KEY_COUNT = 2 };

static const char *text_of(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));

    return text != NULL ? text : "";
}

static bool same_machine(const cJSON *a, const cJSON *b)
{
    for (int i = 0; i < MACHINE_KEY_COUNT; i++)
        if (strcmp(text_of(a, MACHINE_KEYS[i]), text_of(b, MACHINE_KEYS[i])) != 0)
            return false;
    return true;
}

static double share_of(const cJSON *config, int key)
{
    return cJSON_GetNumberValue(cJSON_GetObjectItem(config, SHARE_KEYS[key]));
}

cJSON *baseline_merge(const cJSON *old, const cJSON *machine, const cJSON *configs)
{
    cJSON *out = cJSON_CreateObject(), *list;

    for (int i = 0; i < MACHINE_KEY_COUNT; i++)
        cJSON_AddStringToObject(out, MACHINE_KEYS[i], text_of(machine, MACHINE_KEYS[i]));
    list = old != NULL && same_machine(old, machine)
               ? cJSON_Duplicate(cJSON_GetObjectItem(old, "configs"), true)
               : NULL;
    if (list == NULL)
        list = cJSON_CreateObject();
    cJSON_AddItemToObject(out, "configs", list);
    for (const cJSON *c = configs->child; c != NULL; c = c->next) {
        cJSON *item = cJSON_CreateObject();
        for (int i = 0; i < SHARE_KEY_COUNT; i++)
            cJSON_AddNumberToObject(item, SHARE_KEYS[i], share_of(c, i));
        if (cJSON_HasObjectItem(list, c->string))
            cJSON_ReplaceItemInObjectCaseSensitive(list, c->string, item);
        else
            cJSON_AddItemToObject(list, c->string, item);
    }
    return out;
}

int baseline_compare(FILE *out, const cJSON *baseline, const cJSON *machine,
                     const cJSON *configs)
{
    bool same = same_machine(baseline, machine);
    int slower = 0;

    fprintf(out, "\nshares against the baseline (%s, %s, %s)\n", text_of(baseline, "cpu"),
            text_of(baseline, "kernel_set"), text_of(baseline, "blas_core"));
    if (!same)
        fprintf(out, "  another CPU, kernel set or BLAS core: shares are shown, not judged\n");
    for (const cJSON *c = configs->child; c != NULL; c = c->next) {
        const cJSON *old = cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItem(baseline, "configs"), c->string);
        if (old == NULL)
            fprintf(out, "  %-6s no baseline; make bench-baseline CONFIGS=%s adds it\n",
                    c->string, c->string);
        for (int i = 0; old != NULL && i < SHARE_KEY_COUNT; i++) {
            double now = share_of(c, i), then = share_of(old, i);
            bool slow = same && now < then * (1 - SLOWER);
            slower += slow;
            fprintf(out, "  %-6s %-11s %5.1f %% -> %5.1f %%%s\n", c->string, SHARE_KEYS[i],
                    100 * then, 100 * now, slow ? "  SLOWER" : "");
        }
    }
    return slower;
}
