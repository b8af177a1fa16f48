/* golden_run.c - one golden case from its files: tensors, configuration, param0_from. */
#include "golden_case.h"

#include "error.h"
#include "file.h"
#include "json.h"
#include "support/safetensors_file.h"

#include <stdlib.h>
#include <string.h>

#define GOLDEN_FILE_LIMIT ((size_t)1 << 30)

/* path with its ending (of ".safetensors" or ".json") exchanged; fresh. */
static char *sibling(const char *path, const char *ending)
{
    const char *dot = strrchr(path, '.');
    int length = (int)(dot == NULL ? strlen(path) : (size_t)(dot - path));

    return format_string("%.*s%s", length, path, ending);
}

/* The file that param0_from names, in the folder of path. A name with a slash is refused. */
static int read_base(struct safetensors_file **base, const char *path, const char *name,
                     struct error *err)
{
    const char *slash = strrchr(path, '/');
    int length = (int)(slash == NULL ? 0 : slash - path + 1);

    if (strchr(name, '/') != NULL)
        return error_set(err, ERROR_FORMAT, "%s: param0_from \"%.100s\" is no plain name", path,
                         name);
    char *other = format_string("%.*s%s.safetensors", length, path, name);
    if (other == NULL)
        return error_set(err, ERROR_NOMEM, "cannot allocate a path");
    int rc = safetensors_read(base, other, GOLDEN_FILE_LIMIT, err);
    free(other);
    return rc;
}

/* Format and sample stride from the metadata; param0_from there wins over the JSON's. */
static int read_metadata(struct golden_config *config, const struct safetensors_file *file,
                         const char *path, struct error *err)
{
    const char *format = safetensors_metadata(file, "format");
    const char *stride = safetensors_metadata(file, "sample_stride");
    const char *from = safetensors_metadata(file, "param0_from");

    if (format == NULL || strcmp(format, "golden-1") != 0)
        return error_set(err, ERROR_FORMAT, "%s: its format is \"%.40s\", expected golden-1",
                         path, format == NULL ? "" : format);
    if (stride != NULL)
        config->sample_stride = strtoll(stride, NULL, 10);
    if (config->sample_stride < 1)
        return error_set(err, ERROR_FORMAT, "%s: sample_stride is below 1", path);
    if (from != NULL)
        config->param0_from = from;
    return 0;
}

static int run_files(struct golden_report *report, const char *data_path, const char *json_path,
                     struct error *err)
{
    struct safetensors_file *file = NULL, *base = NULL;
    struct golden_config config = { 0 };
    cJSON *json = NULL;
    int rc;

    rc = safetensors_read(&file, data_path, GOLDEN_FILE_LIMIT, err);
    if (rc < 0)
        goto out;
    rc = json_read_file(&json, json_path, JSON_SPEC_LIMIT, err);
    if (rc < 0)
        goto out;
    rc = golden_config_read(&config, json, json_path, err);
    if (rc < 0)
        goto out;
    rc = read_metadata(&config, file, data_path, err);
    if (rc < 0)
        goto out;
    if (config.param0_from != NULL) {
        rc = read_base(&base, data_path, config.param0_from, err);
        if (rc < 0)
            goto out;
    }
    rc = golden_case_replay(report, &config, file, base, err);
    if (rc < 0)
        error_prefix(err, "%s", json_path);
out:
    safetensors_destroy(base);
    safetensors_destroy(file);
    cJSON_Delete(json);
    return rc;
}

int golden_case_run(struct golden_report *report, const char *path, struct error *err)
{
    char *json_path = sibling(path, ".json"), *data_path = sibling(path, ".safetensors");
    int rc;

    if (json_path == NULL || data_path == NULL)
        rc = error_set(err, ERROR_NOMEM, "cannot allocate a path");
    else
        rc = run_files(report, data_path, json_path, err);
    free(data_path);
    free(json_path);
    return rc;
}
