/* figure.c - the table of figures. */
#include "figure.h"

#include "error.h"
#include "figure_kinds.h"
#include "file.h"
#include "json.h"
#include "origin.h"
#include "query.h"
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct figure FIGURES[] = {
    { "outer_steps", "%s against outer steps", "arch.halt_max_steps, or eval.halt_max_steps",
      false, make_outer_steps },
    { "inner_cycles", "%s against inner cycles", "arch.H_cycles or arch.L_cycles", false,
      make_inner_cycles },
    { "act", "%s with and without ACT", "arch.act_enabled", false, make_act },
    { "train_inference", "%s: outer steps in training and at inference",
      "arch.halt_max_steps and eval.halt_max_steps", false, make_train_inference },
    { "train_inference_map", "%s: outer steps in training against inference",
      "arch.halt_max_steps and eval.halt_max_steps", false, make_train_inference_map },
    { "augmentations", "%s: augmentations trained and voted over",
      "data.num_aug or eval.augmentations", false, make_augmentations },
    { "axis", "%s against a setting", "--axis KEY", true, make_axis },
    { "pivot", "%s: one setting against another", "--rows KEY and --cols KEY", true,
      make_pivot },
    { "pass_at_k", "pass@k against k", "results", false, make_pass_at_k },
    { "loss_curves", "Token loss against training step", "trainings that have begun", false,
      make_loss_curves },
    { "accuracy_curves", "Per-token accuracy against training step",
      "trainings that have begun", false, make_accuracy_curves },
    { "interim", "%s against training step", "train.eval_interval above 0", false,
      make_interim },
    { "flops", "%s against FLOPs of training", "arms of different cost", false, make_flops },
    { "steps_used", "%s against outer steps used", "arms that use different numbers of them",
      false, make_steps_used },
    { "halting_rules", "%s against outer steps used, by halting rule",
      "eval.halt_rule or eval.act_inference", false, make_halting_rules },
    { "residuals", "Forward residuals of module calls", "eval.trajectory", false,
      make_residuals },
    { "calibration", "Exact rows against the probability stated", "eval.trajectory", false,
      make_calibration },
    { "differences", "Differences in %s", "two arms with results", false, make_differences },
    { "seeds", "%s of every seed", "two seeds", false, make_seeds },
    { 0 },
};
enum { FIGURE_COUNT = sizeof FIGURES / sizeof *FIGURES - 1 };

/* Whether the experiment merely does not allow what was tried. */
static bool is_refusal(int rc)
{
    return rc == ERROR_FORMAT || rc == ERROR_ABSENT;
}

int figure_find(const struct figure **out, const char *name, struct error *err)
{
    const char *names[FIGURE_COUNT];
    char list[400] = "";
    size_t used = 0;

    for (int i = 0; i < FIGURE_COUNT; i++) {
        names[i] = FIGURES[i].name;
        if (strcmp(name, FIGURES[i].name) == 0) {
            *out = &FIGURES[i];
            return 0;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i == 0 ? "" : ", ",
                                 FIGURES[i].name);
    }
    const char *nearest = json_nearest_name(name, names, FIGURE_COUNT);

    return error_set(err, ERROR_FORMAT,
                     "--figure %.60s: unknown figure%s%s%s; expected one of "
                     "%s",
                     name, nearest != NULL ? " (did you mean \"" : "",
                     nearest != NULL ? nearest : "", nearest != NULL ? "\"?)" : "", list);
}

/* Titles a picture: "pass@2 against outer steps - demo". */
static int name_picture(struct picture *picture, const struct figure *figure,
                        const struct figure_source *source, struct error *err)
{
    const char *place = strstr(figure->title, "%s");
    char *subject = figure_subject(source);
    char *title =
        subject == NULL ? NULL
        : place == NULL
            ? format_string("%s \xe2\x80\x93 %s", figure->title, subject)
            : format_string("%.*s%s%s \xe2\x80\x93 %s", (int)(place - figure->title),
                            figure->title, METRICS[source->metric].title, place + 2, subject);
    int rc = title == NULL ? error_no_memory(err, "a figure")
                           : picture_describe(picture, title, "", err);

    free(subject);
    free(title);
    return rc;
}

int figure_make(struct picture *out, const struct figure *figure, struct figure_source *source,
                struct error *err)
{
    *out = (struct picture){ 0 };
    int rc = name_picture(out, figure, source, err);

    if (rc == 0)
        rc = figure->make(out, source, err);
    if (rc != 0)
        picture_release(out);
    return rc;
}

/* Adds a figure's row. title: NULL where it is not possible, for this reason. */
static void add_figure(struct table *table, const struct figure *figure, const char *title,
                       const char *reason)
{
    const char *why = figure->asked ? figure->needs : reason;

    table_row(table);
    table_text(table, figure->name);
    table_text(table, title);
    table_text(table, title != NULL ? "yes" : figure->asked ? "with" : "no");
    table_mark(table, title != NULL ? TABLE_GOOD : TABLE_FAINT);
    table_text(table, title != NULL ? NULL : why);
    table_text(table, title != NULL ? title : why);
}

int figure_list(struct table **out, struct figure_source *source, struct error *err)
{
    static const struct table_column COLUMNS[] = {
        { .name = "figure", .type = TABLE_TEXT },
        { .name = "shows", .type = TABLE_TEXT, .machine_only = true },
        { .name = "possible", .type = TABLE_TEXT },
        { .name = "reason", .type = TABLE_TEXT, .machine_only = true },
        { .name = "shows_or_reason",
          .title = "shows, or why not",
          .type = TABLE_TEXT,
          .people_only = true },
    };
    int rc = table_create(out, COLUMNS, (int)(sizeof COLUMNS / sizeof *COLUMNS), err);

    for (int i = 0; i < FIGURE_COUNT && rc == 0; i++) {
        const struct figure *figure = &FIGURES[i];
        struct error why = { 0 };
        struct picture picture;

        rc = figure_make(&picture, figure, source, &why);
        if (rc != 0 && !is_refusal(rc)) {
            *err = why;
            break;
        }
        add_figure(*out, figure, rc == 0 ? picture.title : NULL, why.message);
        picture_release(&picture);
        rc = 0;
    }
    return rc;
}
