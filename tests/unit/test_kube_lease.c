/* SPDX-License-Identifier: MIT
 *
 * kube_lease: who gets a Lease, keeps it and loses it, against canned replies. */
#include "canned_fixture.h"

#include "base/clock.h"
#include "kube/kube_access.h"
#include "kube/kube_lease.h"

#define REPLY(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body
#define LEASE(version, spec) \
	REPLY("200 OK", \
	      "{\"metadata\":{\"name\":\"l\",\"resourceVersion\":\"" version \
	      "\",\"annotations\":{\"cicada-driver/before\":\"3 of them\"}},\"spec\":{" spec "}}")
#define OF_OTHER(time, seconds) \
	"\"holderIdentity\":\"other\",\"renewTime\":\"" time "\"," \
	"\"leaseDurationSeconds\":" seconds
#define OURS	 "\"holderIdentity\":\"me\""
#define NONE	 REPLY("404 Not Found", "{}")
#define CONFLICT REPLY("409 Conflict", "{}")

struct world {
	struct canned c;
	char server[64];
	struct kube_access access;
	struct kube_api *api;
	struct kube_lease lease;
	struct err_text text;
};

static void begin(struct world *w, const char *const *replies, size_t count)
{
	memset(w, 0, sizeof(*w));
	canned_start(&w->c, replies, count);
	snprintf(w->server, sizeof(w->server), "http://127.0.0.1:%u", w->c.port);
	w->access = (struct kube_access){ .server = w->server, .origin = w->server };
	w->api = kube_api_create(&w->access, "llm", NULL, NULL);
	kube_lease_init(&w->lease, "l", "me");
}

static void end(struct world *w)
{
	kube_lease_fini(&w->lease);
	kube_api_destroy(&w->api);
	canned_stop(&w->c);
}

static void one_that_is_not_there_is_made(void **state)
{
	static const char *const replies[] = { NONE, LEASE("7", OURS) };
	struct world w;

	(void)state;
	begin(&w, replies, 2);
	assert_int_equal(kube_lease_take(&w.lease, w.api, NULL, &w.text), OK);
	canned_stop(&w.c);
	assert_int_equal(strncmp(w.c.request,
				 "POST /apis/coordination.k8s.io/v1/namespaces/llm/leases HTTP/1.1",
				 64),
			 0);
	assert_non_null(strstr(w.c.request, "\"name\":\"l\""));
	assert_non_null(strstr(w.c.request, "\"holderIdentity\":\"me\",\"leaseTransitions\":0"));
	assert_string_equal(w.lease.version, "7");
	assert_string_equal(w.lease.note, "");
	end(&w);
}

static void of_two_that_make_one_the_slower_waits(void **state)
{
	static const char *const replies[] = { NONE, CONFLICT };
	struct world w;

	(void)state;
	begin(&w, replies, 2);
	assert_int_equal(kube_lease_take(&w.lease, w.api, NULL, &w.text), ERR_BUSY);
	end(&w);
}

/* With the version that was seen, so that of two that see it free one gets it. */
static void a_free_one_is_taken_with_its_note(void **state)
{
	static const char *const replies[] = { LEASE("7", "\"leaseTransitions\":4"),
					       LEASE("8", OURS), LEASE("9", ""), CONFLICT };
	struct world w;

	(void)state;
	begin(&w, replies, 4);
	assert_int_equal(kube_lease_take(&w.lease, w.api, NULL, &w.text), OK);
	assert_string_equal(w.lease.note, "3 of them");
	assert_string_equal(w.lease.version, "8");
	assert_int_equal(w.lease.transitions, 5);
	assert_int_equal(kube_lease_take(&w.lease, w.api, NULL, &w.text), ERR_BUSY);
	canned_stop(&w.c);
	assert_non_null(strstr(w.c.request, "{\"metadata\":{\"resourceVersion\":\"9\"},"));
	end(&w);
}

static void a_holder_that_gives_a_sign_keeps_it(void **state)
{
	static const char *const replies[] = {
		LEASE("7", OF_OTHER("2026-01-01T00:00:00.000000Z", "30")),
		LEASE("7", OF_OTHER("2026-01-01T00:00:00.000000Z", "30")),
		LEASE("8", OF_OTHER("2026-01-01T00:00:10.000000Z", "30")),
	};
	struct world w;

	(void)state;
	begin(&w, replies, 3);
	assert_int_equal(kube_lease_take(&w.lease, w.api, "who is gone", &w.text), ERR_BUSY);
	assert_string_equal(w.lease.other.holder, "other");
	assert_int_equal(kube_lease_take(&w.lease, w.api, NULL, &w.text), ERR_BUSY);
	assert_int_equal(kube_lease_take(&w.lease, w.api, NULL, &w.text), ERR_STATE);
	end(&w);
}

/* By our time; what its clock said does not count. */
static void a_holder_that_gives_none_loses_it(void **state)
{
	static const char *const replies[] = {
		LEASE("7", OF_OTHER("2099-01-01T00:00:00.000000Z", "1")),
		LEASE("7", OF_OTHER("2099-01-01T00:00:00.000000Z", "1")),
		LEASE("7", OF_OTHER("2099-01-01T00:00:00.000000Z", "1")),
		LEASE("8", OURS),
	};
	struct world w;

	(void)state;
	begin(&w, replies, 4);
	assert_int_equal(kube_lease_take(&w.lease, w.api, NULL, &w.text), ERR_BUSY);
	assert_int_equal(kube_lease_take(&w.lease, w.api, NULL, &w.text), ERR_BUSY);
	w.lease.seen_us -= CLOCK_S;
	assert_int_equal(kube_lease_take(&w.lease, w.api, NULL, &w.text), OK);
	end(&w);
}

static void a_holder_that_is_known_to_be_gone_loses_it_at_once(void **state)
{
	static const char *const replies[] = { LEASE("7", OF_OTHER("x", "30")), LEASE("8", OURS) };
	struct world w;

	(void)state;
	begin(&w, replies, 2);
	assert_int_equal(kube_lease_take(&w.lease, w.api, "other", &w.text), OK);
	assert_string_equal(w.lease.note, "3 of them");
	end(&w);
}

static void who_only_writes_on_it_does_not_take_it(void **state)
{
	static const char *const replies[] = { CONFLICT, LEASE("9", OURS), LEASE("10", OURS) };
	struct world w;

	(void)state;
	begin(&w, replies, 3);
	assert_int_equal(kube_lease_renew(&w.lease, w.api, "2 \"of\" them", &w.text), OK);
	canned_stop(&w.c);
	assert_non_null(strstr(w.c.request,
			       "{\"metadata\":{\"resourceVersion\":\"9\",\"annotations\":"
			       "{\"cicada-driver/before\":\"2 \\\"of\\\" them\"}},"));
	assert_string_equal(w.lease.version, "10");
	assert_string_equal(w.lease.note, "2 \"of\" them");
	end(&w);
}

static void who_takes_it_is_named(void **state)
{
	static const char *const replies[] = { CONFLICT, LEASE("9", OF_OTHER("x", "30")), CONFLICT,
					       LEASE("9", "") };
	struct world w;

	(void)state;
	begin(&w, replies, 4);
	assert_int_equal(kube_lease_renew(&w.lease, w.api, NULL, &w.text), ERR_STATE);
	assert_string_equal(w.text.text, "Lease l is of other by now");
	assert_int_equal(kube_lease_renew(&w.lease, w.api, NULL, &w.text), ERR_STATE);
	assert_string_equal(w.text.text, "Lease l is of nobody by now");
	end(&w);
}

static void one_that_was_removed_is_made_again_with_its_note(void **state)
{
	static const char *const replies[] = { LEASE("8", OURS), NONE, LEASE("1", OURS) };
	struct world w;

	(void)state;
	begin(&w, replies, 3);
	assert_int_equal(kube_lease_renew(&w.lease, w.api, "2 of them", &w.text), OK);
	assert_int_equal(kube_lease_renew(&w.lease, w.api, NULL, &w.text), OK);
	canned_stop(&w.c);
	assert_non_null(strstr(w.c.request, "\"cicada-driver/before\":\"2 of them\""));
	assert_string_equal(w.lease.version, "1");
	end(&w);
}

/* Also when an answer to a renewal was not waited for. */
static void released_it_is_of_nobody(void **state)
{
	static const char *const replies[] = { CONFLICT, LEASE("9", OURS), LEASE("10", "") };
	struct world w;

	(void)state;
	begin(&w, replies, 3);
	assert_int_equal(kube_lease_release(&w.lease, w.api, "", &w.text), OK);
	canned_stop(&w.c);
	assert_non_null(
		strstr(w.c.request,
		       "{\"metadata\":{\"resourceVersion\":\"9\",\"annotations\":"
		       "{\"cicada-driver/before\":null}},\"spec\":{\"holderIdentity\":null}}"));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_not_there_is_made),
		cmocka_unit_test(of_two_that_make_one_the_slower_waits),
		cmocka_unit_test(a_free_one_is_taken_with_its_note),
		cmocka_unit_test(a_holder_that_gives_a_sign_keeps_it),
		cmocka_unit_test(a_holder_that_gives_none_loses_it),
		cmocka_unit_test(a_holder_that_is_known_to_be_gone_loses_it_at_once),
		cmocka_unit_test(who_only_writes_on_it_does_not_take_it),
		cmocka_unit_test(who_takes_it_is_named),
		cmocka_unit_test(one_that_was_removed_is_made_again_with_its_note),
		cmocka_unit_test(released_it_is_of_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
