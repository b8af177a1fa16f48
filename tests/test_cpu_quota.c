/* test_cpu_quota.c - quotas of control groups, as containers and batch systems set them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cpu_quota.h"
#include "file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A directory that stands for "/", with /proc/self as given. */
static void make_root(char root[40], const char *groups, const char *mounts)
{
    char path[200];

    snprintf(root, 40, "/tmp/hrmlab-quota-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof path, "%s/proc/self", root);
    assert_int_equal(file_make_directories(path, NULL), 0);
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    assert_int_equal(file_write_atomic(path, groups, strlen(groups), NULL), 0);
    snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
    assert_int_equal(file_write_atomic(path, mounts, strlen(mounts), NULL), 0);
}

static void write_group(const char *root, const char *directory, const char *name,
                        const char *text)
{
    char path[200];

    snprintf(path, sizeof path, "%s%s", root, directory);
    assert_int_equal(file_make_directories(path, NULL), 0);
    snprintf(path, sizeof path, "%s%s/%s", root, directory, name);
    assert_int_equal(file_write_atomic(path, text, strlen(text), NULL), 0);
}

static const char MOUNT_2[] =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

static void the_smallest_quota_on_the_way_up_counts(void **state)
{
    char root[40];

    (void)state;
    make_root(root, "0::/batch/job\n", MOUNT_2);
    write_group(root, "/sys/fs/cgroup/batch/job", "cpu.max", "max 100000\n");
    assert_true(fabs(cpu_quota(root)) < 1e-9);
    write_group(root, "/sys/fs/cgroup/batch", "cpu.max", "250000 100000\n");
    assert_true(fabs(cpu_quota(root) - 2.5) < 1e-9);
    write_group(root, "/sys/fs/cgroup/batch/job", "cpu.max", "150000 100000\n");
    assert_true(fabs(cpu_quota(root) - 1.5) < 1e-9);
    assert_int_equal(file_remove_tree(root, NULL), 0);
}

static void quotas_of_the_first_version_count_too(void **state)
{
    char root[40];

    (void)state;
    make_root(root, "3:memory:/x\n2:cpu,cpuacct:/docker/abc\n0::/\n",
              "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
              "32 23 0:28 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup "
              "rw,cpu,cpuacct\n");
    write_group(root, "/sys/fs/cgroup/cpu,cpuacct", "cpu.cfs_quota_us", "300000\n");
    write_group(root, "/sys/fs/cgroup/cpu,cpuacct", "cpu.cfs_period_us", "100000\n");
    assert_true(fabs(cpu_quota(root) - 3.0) < 1e-9);
    write_group(root, "/sys/fs/cgroup/cpu,cpuacct", "cpu.cfs_quota_us", "-1\n");
    assert_true(fabs(cpu_quota(root)) < 1e-9);
    assert_int_equal(file_remove_tree(root, NULL), 0);
}

static void what_cannot_be_read_is_no_quota(void **state)
{
    char root[40];

    (void)state;
    assert_true(fabs(cpu_quota("/nowhere")) < 1e-9);
    make_root(root, "no colon\n0::\n", "nonsense\n - cgroup2\n");
    assert_true(fabs(cpu_quota(root)) < 1e-9);
    assert_int_equal(file_remove_tree(root, NULL), 0);
    assert_true(cpu_quota("") >= 0.0);
}

static void places_are_whole_cores_and_at_least_one(void **state)
{
    (void)state;
    assert_int_equal(cpu_quota_cores(8, 0.0), 8);
    assert_int_equal(cpu_quota_cores(8, 2.5), 2);
    assert_int_equal(cpu_quota_cores(8, 0.5), 1);
    assert_int_equal(cpu_quota_cores(2, 4.0), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_quota_on_the_way_up_counts),
        cmocka_unit_test(quotas_of_the_first_version_count_too),
        cmocka_unit_test(what_cannot_be_read_is_no_quota),
        cmocka_unit_test(places_are_whole_cores_and_at_least_one),
    };

    return cmocka_run_group_tests_name("cpu_quota", tests, NULL, NULL);
}
