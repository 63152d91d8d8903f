/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log page whose bytes all differ from their neighbours. */
#include "linux/smart.h"

#include "runner.h"

START_TEST(every_field_comes_from_its_place)
{
    guint8 log[OS_SMART_NVME_LOG_SIZE];
    GuestNVMeSmart smart;

    for (guint i = 0; i < sizeof log; i++)
        log[i] = (guint8)i;
    os_smart_parse_nvme(log, &smart);

    ck_assert_int_eq(smart.critical_warning, 0);
    ck_assert_int_eq(smart.temperature, 0x0201);
    ck_assert_int_eq(smart.available_spare, 3);
    ck_assert_int_eq(smart.available_spare_threshold, 4);
    ck_assert_int_eq(smart.percentage_used, 5);
    ck_assert(smart.data_units_read_lo == 0x2726252423222120);
    ck_assert(smart.data_units_read_hi == 0x2F2E2D2C2B2A2928);
    ck_assert(smart.data_units_written_lo == 0x3736353433323130);
    ck_assert(smart.host_read_commands_hi == 0x4F4E4D4C4B4A4948);
    ck_assert(smart.host_write_commands_lo == 0x5756555453525150);
    ck_assert(smart.controller_busy_time_hi == 0x6F6E6D6C6B6A6968);
    ck_assert(smart.power_cycles_lo == 0x7776757473727170);
    ck_assert(smart.power_on_hours_hi == 0x8F8E8D8C8B8A8988);
    ck_assert(smart.unsafe_shutdowns_lo == 0x9796959493929190);
    ck_assert(smart.media_errors_hi == 0xAFAEADACABAAA9A8);
    ck_assert(smart.number_of_error_log_entries_lo == 0xB7B6B5B4B3B2B1B0);
    ck_assert(smart.number_of_error_log_entries_hi == 0xBFBEBDBCBBBAB9B8);
}
END_TEST

START_TEST(what_is_no_nvme_disk_does_not_tell)
{
    ck_assert_ptr_null(os_smart_ask_nvme("/no/such/node"));
    ck_assert_ptr_null(os_smart_ask_nvme("/dev/null"));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("smart");
    TCase *tcase = tcase_create("smart");

    tcase_add_test(tcase, every_field_comes_from_its_place);
    tcase_add_test(tcase, what_is_no_nvme_disk_does_not_tell);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
