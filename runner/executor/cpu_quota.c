/* cpu_quota.c - reads cpu.max and cpu.cfs_quota_us of this process's group and its
 * parents. */
#include "cpu_quota.h"

#include "file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 1 << 20, MOUNT_SIZE = 512 };

/* The text of a small file, newly allocated; NULL: it cannot be read. */
static char *read_text(const char *path)
{
    char *text = NULL;
    size_t size = 0;

    return path != NULL && file_read(&text, &size, path, FILE_LIMIT, NULL) == 0 ? text : NULL;
}

static char *read_below(const char *directory, const char *name)
{
    char *path = file_join(directory, name), *text = read_text(path);

    free(path);
    return text;
}

/* Converts "150000 100000" to cores; "max 100000" is no quota: 0. */
static double quota_of_version_2(const char *directory)
{
    char *text = read_below(directory, "cpu.max");
    double quota = 0.0, period = 0.0;
    bool limited = text != NULL && sscanf(text, "%lf %lf", &quota, &period) == 2;

    free(text);
    return limited && quota > 0.0 && period > 0.0 ? quota / period : 0.0;
}

/* Likewise, from two files; -1 is no quota. */
static double quota_of_version_1(const char *directory)
{
    char *quota_text = read_below(directory, "cpu.cfs_quota_us");
    char *period_text = read_below(directory, "cpu.cfs_period_us");
    double quota = quota_text != NULL ? strtod(quota_text, NULL) : 0.0;
    double period = period_text != NULL ? strtod(period_text, NULL) : 0.0;

    free(quota_text);
    free(period_text);
    return quota > 0.0 && period > 0.0 ? quota / period : 0.0;
}

/* Whether name is in the comma-separated list. */
static bool is_listed(const char *list, size_t length, const char *name)
{
    size_t size = strlen(name);

    for (const char *at = list; at < list + length; at += strcspn(at, ",:\n") + 1)
        if (strncmp(at, name, size) == 0 && strchr(",:\n ", at[size]) != NULL)
            return true;
    return false;
}

/* Finds the group's path in /proc/self/cgroup: of version 2 ("0::/path"), or of the
 * cpu controller of version 1 ("4:cpu,cpuacct:/path"). False: there is none. */
static bool find_group(char *out, size_t size, const char *text, bool version_2)
{
    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n'), *names = strchr(line, ':');
        const char *path = names != NULL ? strchr(names + 1, ':') : NULL;
        size_t whole = end != NULL ? (size_t)(end - line) : strlen(line);

        if (path != NULL && path < line + whole) {
            bool mine = version_2 ? path == names + 1
                                  : is_listed(names + 1, (size_t)(path - names - 1), "cpu");
            if (mine) {
                snprintf(out, size, "%.*s", (int)(line + whole - path - 1), path + 1);
                return true;
            }
        }
        line = end != NULL ? end + 1 : NULL;
    }
    return false;
}

/* Finds the mount point of that hierarchy and the group that is the mount's root,
 * from /proc/self/mountinfo: "36 35 98:0 ROOT MOUNT options - TYPE source super-
 * options". */
static bool find_mount(char *root, char *mount, const char *text, bool version_2)
{
    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n'), *dash = strstr(line, " - ");
        char type[32] = "", options[MOUNT_SIZE] = "";

        if (dash != NULL && (end == NULL || dash < end) &&
            sscanf(line, "%*s %*s %*s %511s %511s", root, mount) == 2 &&
            sscanf(dash, " - %31s %*s %511s", type, options) >= 1) {
            bool mine = version_2 ? strcmp(type, "cgroup2") == 0
                                  : strcmp(type, "cgroup") == 0 &&
                                        is_listed(options, strlen(options), "cpu");
            if (mine)
                return true;
        }
        line = end != NULL ? end + 1 : NULL;
    }
    return false;
}

/* The smallest quota on the way from directory up to the mount point, whose path has
 * top bytes. */
static double smallest(char *directory, size_t top, bool version_2)
{
    double least = 0.0;

    for (;;) {
        double own = version_2 ? quota_of_version_2(directory) : quota_of_version_1(directory);
        char *slash = strrchr(directory, '/');

        if (own > 0.0 && (least <= 0.0 || own < least))
            least = own;
        if (strlen(directory) <= top || slash == NULL || slash == directory)
            return least;
        *slash = '\0';
    }
}

static double quota_of(const char *front, const char *groups, const char *mounts,
                       bool version_2)
{
    char group[MOUNT_SIZE], root[MOUNT_SIZE], mount[MOUNT_SIZE];

    if (!find_group(group, sizeof group, groups, version_2) ||
        !find_mount(root, mount, mounts, version_2))
        return 0.0;
    /* In a container, the root of the mount may be this group itself. */
    size_t above = strcmp(root, "/") == 0 ? 0 : strlen(root);
    const char *below = strncmp(group, root, above) == 0 ? group + above : "";
    char *top = format_string("%s%s", front, mount);
    char *directory =
        format_string("%s%s%s", front, mount, strcmp(below, "/") == 0 ? "" : below);
    double quota =
        top != NULL && directory != NULL ? smallest(directory, strlen(top), version_2) : 0.0;

    free(top);
    free(directory);
    return quota;
}

double cpu_quota(const char *root)
{
    char *groups_path = format_string("%s/proc/self/cgroup", root);
    char *mounts_path = format_string("%s/proc/self/mountinfo", root);
    char *groups = read_text(groups_path), *mounts = read_text(mounts_path);
    double quota = 0.0;

    if (groups != NULL && mounts != NULL) {
        double second = quota_of(root, groups, mounts, true);
        double first = quota_of(root, groups, mounts, false);

        quota = first > 0.0 && (second <= 0.0 || first < second) ? first : second;
    }
    free(groups_path);
    free(mounts_path);
    free(groups);
    free(mounts);
    return quota;
}

int cpu_quota_cores(int cores, double quota)
{
    int most = quota >= 1.0 ? (int)quota : 1;

    return quota > 0.0 && most < cores ? most : cores;
}
