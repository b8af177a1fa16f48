/* command_import.c - takes a safetensors file of weights into the workspace. */
#include "error.h"
#include "init_from.h"
#include "json.h"
#include "log.h"
#include "options.h"
#include "safetensors_header.h"
#include "spec_weights.h"
#include "workspace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is said of the file's tensors. */
struct contents {
    int tensors, averages, others; /* of the model; averages of it; neither */
    bool prefixed;                 /* names begin with "_orig_mod." or the like */
    double rows, length;           /* of the puzzle embedding; 0: there is none */
    double width, vocabulary;      /* of the token embedding */
    /* borrowed; the first of the model's of a type that no run can take; NULL: none */
    const cJSON *untaken;
};

static double dimension(const cJSON *tensor, int i)
{
    const cJSON *size = cJSON_GetArrayItem(json_member(tensor, "shape"), i);

    return cJSON_IsNumber(size) ? size->valuedouble : 0.0;
}

/* Whether a run can take such numbers. */
static bool is_real(const cJSON *tensor)
{
    const cJSON *type = json_member(tensor, "dtype");

    return cJSON_IsString(type) &&
           (strcmp(type->valuestring, "F32") == 0 || strcmp(type->valuestring, "BF16") == 0);
}

static void look_at(struct contents *out, const cJSON *tensor)
{
    const char *inner = strstr(tensor->string, "inner.");
    bool average = strncmp(tensor->string, "ema.", 4) == 0;

    if (strcmp(tensor->string, "__metadata__") == 0)
        return;
    out->tensors += inner != NULL && !average;
    out->averages += inner != NULL && average;
    out->others += inner == NULL;
    if (inner != NULL && !is_real(tensor) && out->untaken == NULL)
        out->untaken = tensor;
    out->prefixed = out->prefixed || (inner != NULL && inner != tensor->string && !average);
    if (inner != NULL && strcmp(inner, "inner.puzzle_emb.weights") == 0) {
        out->rows = dimension(tensor, 0);
        out->length = dimension(tensor, 1);
    }
    if (inner != NULL && strcmp(inner, "inner.embed_tokens.embedding_weight") == 0) {
        out->vocabulary = dimension(tensor, 0);
        out->width = dimension(tensor, 1);
    }
}

static int read_contents(struct contents *out, const char *path, struct error *err)
{
    cJSON *header = NULL;
    size_t data_at;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *out = (struct contents){ 0 };
    if (fd < 0)
        return error_set(err, ERROR_FORMAT, "import: %s: %s; expected a safetensors file", path,
                         strerror(errno));
    int rc = safetensors_header_read(&header, &data_at, fd, path, err);
    close(fd);
    for (const cJSON *tensor = header != NULL ? header->child : NULL; tensor != NULL;
         tensor = tensor->next)
        look_at(out, tensor);
    if (rc == 0 && out->untaken != NULL) {
        const cJSON *type = json_member(out->untaken, "dtype");

        rc = error_set(err, ERROR_FORMAT,
                       "import: %s: tensor \"%.200s\" is %.20s, expected F32 or BF16; convert "
                       "it (in PyTorch: tensor.float()) and save it anew",
                       path, out->untaken->string,
                       cJSON_IsString(type) ? type->valuestring : "of no type");
    }
    out->untaken = NULL;
    cJSON_Delete(header);
    if (rc == 0 && out->tensors == 0)
        rc = error_set(err, ERROR_FORMAT,
                       "import: %s: no tensor is named as in the published models "
                       "(\"inner.embed_tokens.embedding_weight\", ...), of %d",
                       path, out->others);
    return rc;
}

static void tell(const struct contents *found, const char *hash)
{
    log_info("%d tensors of a model%s%s; hidden size %.0f, %.0f tokens", found->tensors,
             found->prefixed ? ", with what stands before \"inner.\" left out" : "",
             found->averages > 0 ? ", and averages of them" : "", found->width,
             found->vocabulary);
    if (found->rows > 0.0)
        log_info("puzzle embedding of %.0f rows of length %.0f, the blank first: a run takes "
                 "them by number; ids beyond them get train.puzzle_rows, rows beyond the ids "
                 "are not used, and its log says how many",
                 found->rows, found->length);
    else
        log_info("no puzzle embedding");
    if (found->averages > 0)
        log_info("a run with train.ema_rate evaluates the averages, any other the weights");
    if (found->others > 0)
        log_warning("%d tensors have other names and are not used", found->others);
    log_info("in a spec: \"train.init_from\": \"" INIT_FILE_PREFIX "%s\"; with "
             "\"train.epochs\": 0 it is evaluated as it is",
             hash);
}

int command_import(const struct options *options, int *exit_code, struct error *err)
{
    struct workspace workspace = { .lock_fd = -1 };
    struct contents found;
    char hash[65];
    int rc = read_contents(&found, options->arguments[0], err);

    (void)exit_code;
    if (rc == 0)
        rc = workspace_open(&workspace, options->workspace, err);
    if (rc == 0)
        rc = spec_import_weights(hash, &workspace, options->arguments[0], err);
    if (rc == 0) {
        tell(&found, hash);
        printf(INIT_FILE_PREFIX "%s\n", hash);
    }
    workspace_close(&workspace);
    return rc;
}
