/* golden_dataset.c - the recorded data pipeline against grid, augmentation, canvas, sudoku. */
#include "golden_dataset.h"

#include "arc_task.h"
#include "augmentation.h"
#include "canvas.h"
#include "engine.h"
#include "optimizer.h"
#include "error.h"
#include "json.h"
#include "sudoku.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void golden_equal(struct golden_tally *tally, bool equal, const char *what)
{
    tally->compared++;
    if (!equal && tally->wrong++ == 0)
        snprintf(tally->first, sizeof tally->first, "%s", what);
}

void golden_near(struct golden_tally *tally, const cJSON *item, double value, double limit,
                 const char *what)
{
    /* Written so that NaN is a difference. */
    golden_equal(tally, cJSON_IsNumber(item) && fabs(item->valuedouble - value) <= limit, what);
}

bool golden_grid(struct golden_tally *tally, struct grid *out, const cJSON *rows,
                 const char *what)
{
    struct error ignored;

    if (cJSON_IsArray(rows) && rows->child == NULL) {
        out->rows = out->columns = 0;
        return true;
    }
    if (grid_read(out, rows, "dataset", "golden", what, &ignored) == 0)
        return true;
    golden_equal(tally, false, what);
    return false;
}

void golden_same_grid(struct golden_tally *tally, const cJSON *rows, const struct grid *ours,
                      const char *what)
{
    struct grid theirs;

    if (golden_grid(tally, &theirs, rows, what))
        golden_equal(tally, grid_equal(&theirs, ours), what);
}

/* A list of count integers; false (and counted wrong) when it is none. */
static bool read_ints(struct golden_tally *tally, int *out, int count, const cJSON *list,
                      const char *what)
{
    int n = 0;

    if (cJSON_IsArray(list) && cJSON_GetArraySize(list) == count)
        for (const cJSON *item = list->child; item != NULL && cJSON_IsNumber(item);
             item = item->next)
            out[n++] = item->valueint;
    if (n != count)
        golden_equal(tally, false, what);
    return n == count;
}

static int get_int(const cJSON *object, const char *key)
{
    const cJSON *item = json_member(object, key);

    return cJSON_IsNumber(item) ? item->valueint : -1;
}

static const char *get_text(const cJSON *object, const char *key)
{
    const cJSON *item = json_member(object, key);

    return cJSON_IsString(item) ? item->valuestring : "";
}

static void check_dihedral(struct golden_tally *tally, const cJSON *section)
{
    struct grid grid, turned, back;
    int inverse[GRID_TRANSFORMS];

    if (!golden_grid(tally, &grid, json_member(section, "grid"), "grid") ||
        !read_ints(tally, inverse, GRID_TRANSFORMS, json_member(section, "inverse_table"),
                   "inverse_table"))
        return;
    for (int i = 0; i < GRID_TRANSFORMS; i++)
        golden_equal(tally, inverse[i] == grid_inverse_transform(i), "inverse_table");
    const cJSON *item, *cases = json_member(section, "cases");
    cJSON_ArrayForEach(item, cases)
    {
        int id = get_int(item, "tid"), other = get_int(item, "inverse_tid");
        if (id < 0 || id >= GRID_TRANSFORMS || other != grid_inverse_transform(id)) {
            golden_equal(tally, false, "tid or inverse_tid");
            continue;
        }
        grid_transform(&turned, &grid, id);
        golden_same_grid(tally, json_member(item, "transformed"), &turned, "transformed");
        grid_transform(&back, &turned, other);
        golden_same_grid(tally, json_member(item, "round_trip"), &back, "round_trip");
        grid_transform(&back, &grid, other);
        golden_same_grid(tally, json_member(item, "inverse_of_grid"), &back, "inverse_of_grid");
    }
}

/* Colour maps of the file against the variant's. */
static void check_maps(struct golden_tally *tally, const cJSON *item,
                       const struct variant *variant)
{
    int map[GRID_COLOURS];
    const cJSON *given = json_member(item, "colour_map");

    if (cJSON_IsNull(given)) {
        golden_equal(tally,
                     cJSON_IsNull(json_member(item, "trans_id")) &&
                         json_member(item, "inverse_colour_map") == NULL,
                     "a bare name has no maps");
        return;
    }
    golden_equal(tally, get_int(item, "trans_id") == variant->transform, "trans_id");
    if (read_ints(tally, map, GRID_COLOURS, given, "colour_map"))
        for (int i = 0; i < GRID_COLOURS; i++)
            golden_equal(tally, map[i] == variant->map[i], "colour_map");
    if (read_ints(tally, map, GRID_COLOURS, json_member(item, "inverse_colour_map"),
                  "inverse_colour_map"))
        for (int i = 0; i < GRID_COLOURS; i++)
            golden_equal(tally, map[variant->map[i]] == i, "inverse_colour_map");
}

static void check_augmentation(struct golden_tally *tally, const cJSON *section)
{
    const cJSON *item, *cases = json_member(section, "cases");

    golden_equal(tally, strcmp(get_text(section, "separator"), "|||") == 0, "separator");
    cJSON_ArrayForEach(item, cases)
    {
        struct variant variant;
        struct grid grid, out;
        char base[ARC_NAME_SIZE], name[VARIANT_NAME_SIZE];
        if (!variant_parse(&variant, base, get_text(item, "name"))) {
            golden_equal(tally, false, "name");
            continue;
        }
        golden_equal(tally, strcmp(base, get_text(item, "base_name")) == 0, "base_name");
        golden_equal(tally, strcmp(base, get_text(item, "decoded_base_name")) == 0,
                     "decoded_base_name");
        variant_name(name, base, &variant);
        golden_equal(tally, strcmp(name, get_text(item, "name")) == 0, "name");
        check_maps(tally, item, &variant);
        if (!golden_grid(tally, &grid, json_member(item, "grid"), "grid"))
            continue;
        variant_apply(&out, &grid, &variant);
        golden_same_grid(tally, json_member(item, "augmented"), &out, "augmented");
        variant_undo(&grid, &out, &variant);
        golden_same_grid(tally, json_member(item, "restored"), &grid, "restored");
    }
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* randint_ranges: what an offset may be, row then column, the upper end excluded. */
static void check_ranges(struct golden_tally *tally, const cJSON *ranges, int rows, int columns)
{
    int range[2];
    int highest[2] = { GRID_MAX_SIDE - rows + 1, GRID_MAX_SIDE - columns + 1 };

    for (int i = 0; i < 2 && !cJSON_IsNull(ranges); i++)
        if (read_ints(tally, range, 2, cJSON_GetArrayItem(ranges, i), "randint_ranges"))
            golden_equal(tally, range[0] == 0 && range[1] == highest[i], "randint_ranges");
}

static void check_tokens(struct golden_tally *tally, const cJSON *list, const struct grid *grid,
                         int row, int column, const char *what)
{
    static int theirs[GRID_MAX_CELLS];
    static int32_t ours[GRID_MAX_CELLS];

    if (!read_ints(tally, theirs, GRID_MAX_CELLS, list, what))
        return;
    canvas_place(ours, grid, row, column, GRID_MAX_SIDE);
    for (int i = 0; i < GRID_MAX_CELLS; i++)
        golden_equal(tally, theirs[i] == ours[i], what);
}

static void check_sequences(struct golden_tally *tally, const cJSON *section)
{
    const cJSON *item, *cases = json_member(section, "cases");

    cJSON_ArrayForEach(item, cases)
    {
        struct grid input, output;
        int row = get_int(item, "pad_r"), column = get_int(item, "pad_c");
        if (!golden_grid(tally, &input, json_member(item, "input"), "input") ||
            !golden_grid(tally, &output, json_member(item, "output"), "output"))
            continue;
        int rows = larger(input.rows, output.rows),
            columns = larger(input.columns, output.columns);
        if (row < 0 || column < 0 || row + rows > GRID_MAX_SIDE ||
            column + columns > GRID_MAX_SIDE) {
            golden_equal(tally, false, "pad_r or pad_c");
            continue;
        }
        check_ranges(tally, json_member(item, "randint_ranges"), rows, columns);
        check_tokens(tally, json_member(item, "input_tokens"), &input, row, column,
                     "input_tokens");
        check_tokens(tally, json_member(item, "output_tokens"), &output, row, column,
                     "output_tokens");
    }
}

static void check_crop(struct golden_tally *tally, const cJSON *section)
{
    static int tokens[GRID_MAX_CELLS];
    const cJSON *item, *cases = json_member(section, "cases");

    cJSON_ArrayForEach(item, cases)
    {
        struct grid grid;
        int shape[2];
        if (!read_ints(tally, tokens, GRID_MAX_CELLS, json_member(item, "tokens"), "tokens") ||
            !read_ints(tally, shape, 2, json_member(item, "shape"), "shape"))
            continue;
        canvas_crop(&grid, tokens, GRID_MAX_SIDE);
        golden_equal(tally, grid.rows == shape[0] && grid.columns == shape[1], "shape");
        golden_same_grid(tally, json_member(item, "grid"), &grid, "grid");
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

enum { PAIR_HASH = 2 * HASH_HEX_SIZE };

/* Adds "hash(input)|hash(output)" of each pair of a list. */
static void add_pairs(struct golden_tally *tally, char (*lines)[PAIR_HASH], int *count,
                      const cJSON *pairs)
{
    const cJSON *pair;

    cJSON_ArrayForEach(pair, pairs)
    {
        struct grid input, output;
        char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE];
        if (*count == ARC_MAX_PAIRS ||
            !golden_grid(tally, &input, json_member(pair, "input"), "input") ||
            !golden_grid(tally, &output, json_member(pair, "output"), "output"))
            return;
        grid_hash(a, &input);
        grid_hash(b, &output);
        snprintf(lines[(*count)++], PAIR_HASH, "%s|%s", a, b);
    }
}

static void check_hash(struct golden_tally *tally, const cJSON *section)
{
    static char lines[ARC_MAX_PAIRS][PAIR_HASH];
    const cJSON *item, *list = json_member(section, "grids");
    char hex[HASH_HEX_SIZE];

    cJSON_ArrayForEach(item, list)
    {
        struct grid grid;
        int shape[2];
        if (!golden_grid(tally, &grid, json_member(item, "grid"), "grid") ||
            !read_ints(tally, shape, 2, json_member(item, "shape"), "shape"))
            continue;
        golden_equal(tally, grid.rows == shape[0] && grid.columns == shape[1], "shape");
        grid_hash(hex, &grid);
        golden_equal(tally, strcmp(hex, get_text(item, "sha256")) == 0, "sha256 of a grid");
    }
    list = json_member(section, "puzzles");
    cJSON_ArrayForEach(item, list)
    {
        const cJSON *puzzle = json_member(item, "puzzle");
        struct hash_state state;
        int count = 0;
        add_pairs(tally, lines, &count, json_member(puzzle, "train"));
        add_pairs(tally, lines, &count, json_member(puzzle, "test"));
        qsort(lines, (size_t)count, sizeof *lines, compare_lines);
        hash_init(&state);
        for (int i = 0; i < count; i++) {
            hash_add(&state, "|", i > 0);
            hash_add(&state, lines[i], strlen(lines[i]));
        }
        hash_final_hex(&state, hex);
        golden_equal(tally, strcmp(hex, get_text(item, "sha256")) == 0, "sha256 of a puzzle");
    }
}

static bool read_shuffle(struct golden_tally *tally, struct sudoku_shuffle *out,
                         const cJSON *item)
{
    int map[10], row[9], column[9];

    if (!read_ints(tally, map, 10, json_member(item, "digit_map"), "digit_map") ||
        !read_ints(tally, row, 9, json_member(item, "row_perm"), "row_perm") ||
        !read_ints(tally, column, 9, json_member(item, "col_perm"), "col_perm"))
        return false;
    out->transpose = cJSON_IsTrue(json_member(item, "transpose"));
    for (int i = 0; i < 10; i++) {
        golden_equal(tally, map[i] >= 0 && map[i] <= 9, "digit_map");
        out->map[i] = (uint8_t)map[i];
    }
    for (int i = 0; i < 9; i++) {
        bool good = row[i] >= 0 && row[i] < 9 && column[i] >= 0 && column[i] < 9;
        golden_equal(tally, good, "row_perm or col_perm");
        if (!good)
            return false;
        out->row[i] = (uint8_t)row[i];
        out->column[i] = (uint8_t)column[i];
    }
    return true;
}

static void check_board(struct golden_tally *tally, const cJSON *item, const char *from,
                        const char *to, const struct sudoku_shuffle *shuffle, bool tokens)
{
    struct grid in, out;
    int row[9];

    if (!golden_grid(tally, &in, json_member(item, from), from))
        return;
    if (in.rows != 9 || in.columns != 9) {
        golden_equal(tally, false, from);
        return;
    }
    out.rows = out.columns = 9;
    sudoku_shuffle_apply(out.cells, in.cells, 9, shuffle);
    golden_same_grid(tally, json_member(item, to), &out, to);
    if (tokens && read_ints(tally, row, 9, json_member(item, "token_example"), "token_example"))
        for (int i = 0; i < 9; i++)
            golden_equal(tally, row[i] == out.cells[i] + 1, "token_example");
}

static void check_sudoku(struct golden_tally *tally, const cJSON *section)
{
    const cJSON *item, *cases = json_member(section, "cases");

    cJSON_ArrayForEach(item, cases)
    {
        struct sudoku_shuffle shuffle;
        if (!read_shuffle(tally, &shuffle, item))
            continue;
        check_board(tally, item, "board", "shuffled_board", &shuffle, true);
        check_board(tally, item, "solution", "shuffled_solution", &shuffle, false);
    }
}

/* Mazes use the same dihedral transforms; their characters are tokens 1 to 5. */
static void check_maze(struct golden_tally *tally, const cJSON *section)
{
    static const char charset[] = "# SGo";
    const char *maze = get_text(section, "maze");
    int length = (int)strlen(maze), side = 0, tokens[GRID_MAX_CELLS];
    const cJSON *map = json_member(section, "char_to_token"), *item;
    struct grid grid, turned;

    while (side * side < length)
        side++;
    golden_equal(tally, strcmp(get_text(section, "charset"), charset) == 0, "charset");
    golden_near(tally, json_member(section, "vocab_size"), sizeof charset, 0.0, "vocab_size");
    for (int i = 0; charset[i] != '\0'; i++) {
        char name[2] = { charset[i], '\0' };
        golden_near(tally, json_member(map, name), i + 1, 0.0, "char_to_token");
    }
    if (side == 0 || side > GRID_MAX_SIDE || side * side != length) {
        golden_equal(tally, false, "maze is no square");
        return;
    }
    grid.rows = grid.columns = (uint8_t)side;
    for (int i = 0; i < length; i++) {
        const char *at = strchr(charset, maze[i]);
        golden_equal(tally, at != NULL, "a character of the maze");
        grid.cells[i] = (uint8_t)(at != NULL ? at - charset + 1 : 0);
    }
    if (read_ints(tally, tokens, length, json_member(section, "tokens"), "tokens"))
        for (int i = 0; i < length; i++)
            golden_equal(tally, tokens[i] == grid.cells[i], "tokens");
    cJSON_ArrayForEach(item, json_member(section, "augmented"))
    {
        int id = get_int(item, "tid");
        if (id < 0 || id >= GRID_TRANSFORMS ||
            !read_ints(tally, tokens, length, json_member(item, "tokens"), "augmented")) {
            golden_equal(tally, false, "augmented");
            continue;
        }
        grid_transform(&turned, &grid, id);
        for (int i = 0; i < length; i++)
            golden_equal(tally, tokens[i] == turned.cells[i], "augmented");
    }
}

static void check_rates(struct golden_tally *tally, const cJSON *section)
{
    const cJSON *item, *step;

    cJSON_ArrayForEach(item, section)
    {
        const cJSON *base = json_member(item, "base_lr"),
                    *ratio = json_member(item, "min_ratio");
        struct engine_config config = { .lr_warmup_steps = get_int(item, "warmup"),
                                        .total_steps = get_int(item, "total") };
        if (!cJSON_IsNumber(base) || !cJSON_IsNumber(ratio)) {
            golden_equal(tally, false, "base_lr or min_ratio");
            continue;
        }
        config.lr_min_ratio = ratio->valuedouble;
        cJSON_ArrayForEach(step, json_member(item, "steps"))
        {
            double rate = schedule_rate(&config, base->valuedouble, get_int(step, "step"));
            golden_near(tally, json_member(step, "lr"), rate, 1e-12 * fabs(rate), "lr");
        }
    }
}

int golden_dataset_check(const char *path, FILE *out)
{
    static const struct {
        const char *name;
        void (*check)(struct golden_tally *, const cJSON *);
    } sections[] = {
        { "dihedral", check_dihedral },
        { "augmentation", check_augmentation },
        { "grid_to_sequence", check_sequences },
        { "crop", check_crop },
        { "hash", check_hash },
        { "voting", golden_voting },
        { "sudoku_shuffle", check_sudoku },
        { "maze", check_maze },
        { "lr_schedule", check_rates },
    };
    enum { COUNT = sizeof sections / sizeof *sections };
    struct error err = { 0 };
    cJSON *root;
    int wrong = 0, checked = 0;

    if (json_read_file(&root, path, JSON_DATA_LIMIT, &err) < 0) {
        fprintf(out, "FAIL %s\n", err.message);
        return 1;
    }
    for (const cJSON *item = root->child; item != NULL; item = item->next) {
        struct golden_tally tally = { 0 };
        int i = 0;
        if (strcmp(item->string, "about") == 0)
            continue;
        while (i < COUNT && strcmp(sections[i].name, item->string) != 0)
            i++;
        if (i == COUNT) {
            fprintf(out, "FAIL %s: unchecked: an unknown section\n", item->string);
            wrong++;
            continue;
        }
        sections[i].check(&tally, item);
        bool good = tally.wrong == 0 && tally.compared > 0;
        fprintf(out, "%s %-17s %6d values compared", good ? "ok  " : "FAIL", item->string,
                tally.compared);
        if (!good)
            fprintf(out, ", %d differ, first: %s", tally.wrong,
                    tally.compared > 0 ? tally.first : "nothing to compare");
        fprintf(out, "\n");
        wrong += !good;
        checked++;
    }
    cJSON_Delete(root);
    fprintf(out, "%s %s: %d sections\n", wrong == 0 && checked > 0 ? "PASS" : "FAIL", path,
            checked);
    return wrong == 0 && checked > 0 ? 0 : 1;
}
