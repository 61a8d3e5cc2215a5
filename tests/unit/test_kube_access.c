/* SPDX-License-Identifier: MIT
 *
 * kube_access, kube_yaml: service accounts and kubeconfig files, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/limits.h"
#include "base/mem.h"
#include "kube/kube_access.h"
#include "kube/kube_yaml.h"

#define CONFIG(cluster, user) \
	"apiVersion: v1\nkind: Config\ncurrent-context: one\n" \
	"contexts:\n- name: one\n  context: {cluster: c, user: u, namespace: llm}\n" \
	"- name: two\n  context: {cluster: c, user: nobody}\n" \
	"clusters:\n- name: c\n  cluster: {" cluster "}\n" \
	"users:\n- name: u\n  user: {" user "}\n"
#define SERVER "server: \"https://10.0.0.1:6443/\""

static enum err parse(const char *yaml, const char *context, struct kube_access *out,
		      struct err_text *text)
{
	*text = (struct err_text){ "" };
	return kube_access_parse(str_of(yaml), "file", "/nowhere", context, out, text);
}

static char *folder;

static void write_file(const char *name, const char *bytes)
{
	char *path = mem_printf("%s/%s", folder, name);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(bytes, file);
	fclose(file);
	mem_free(path);
}

static int make_folder(void **state)
{
	static char name[] = "/tmp/test_kube_access.XXXXXX";

	(void)state;
	folder = mkdtemp(name);
	return folder ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "token", "ca.crt", "namespace", "config" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		char *path = mem_printf("%s/%s", folder, names[i]);

		unlink(path);
		mem_free(path);
	}
	return rmdir(folder);
}

static void a_service_account_is_read_and_its_token_again_and_again(void **state)
{
	struct kube_access a;
	struct err_text text = { "" };
	struct buf token;

	(void)state;
	unsetenv("KUBERNETES_SERVICE_HOST");
	assert_false(kube_access_is_in_pod(folder));
	assert_int_equal(kube_access_from_pod(folder, &a, &text), ERR_NOT_FOUND);
	assert_non_null(strstr(text.text, "--kubeconfig"));
	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "6443", 1);
	assert_false(kube_access_is_in_pod(folder));
	write_file("token", "first\n");
	assert_true(kube_access_is_in_pod(folder));
	assert_int_equal(kube_access_from_pod(folder, &a, &text), ERR_NOT_FOUND);
	assert_non_null(strstr(text.text, "ca.crt"));
	write_file("ca.crt", "PEM");
	write_file("namespace", "llm\n");
	assert_int_equal(kube_access_from_pod(folder, &a, &text), OK);
	assert_string_equal(a.server, "https://[fd00::1]:6443");
	assert_string_equal(a.namespace, "llm");
	assert_string_equal(a.ca.p, "PEM");
	buf_init(&token, LIMIT_KUBE_TOKEN_BYTES);
	assert_int_equal(kube_access_token(&a, &token, &text), OK);
	assert_string_equal(token.p, "first");
	write_file("token", "  second");
	assert_int_equal(kube_access_token(&a, &token, &text), OK);
	assert_string_equal(token.p, "second");
	write_file("token", "two\r\nHeader: lines\n");
	assert_int_equal(kube_access_token(&a, &token, &text), ERR_BAD_INPUT);
	buf_fini(&token);
	kube_access_fini(&a);
}

static void a_kubeconfig_gives_its_current_context_or_the_one_named(void **state)
{
	static const char yaml[] =
		CONFIG(SERVER ", certificate-authority-data: UEVN", "token: abc");
	struct err_text text;
	struct kube_access a;

	(void)state;
	assert_int_equal(parse(yaml, NULL, &a, &text), OK);
	assert_string_equal(a.server, "https://10.0.0.1:6443");
	assert_string_equal(a.namespace, "llm");
	assert_string_equal(a.token, "abc");
	assert_string_equal(a.ca.p, "PEM");
	assert_false(a.is_unverified);
	kube_access_fini(&a);
	assert_int_equal(parse(yaml, "two", &a, &text), ERR_NOT_FOUND);
	assert_non_null(strstr(text.text, "no 'nobody' among the users"));
	assert_int_equal(parse(yaml, "three", &a, &text), ERR_NOT_FOUND);
	assert_non_null(strstr(text.text, "no 'three' among the contexts"));
}

static void files_of_a_kubeconfig_are_beside_it(void **state)
{
	struct err_text text = { "" };
	struct kube_access a;
	char *path = mem_printf("%s/config", folder);

	(void)state;
	write_file("ca.crt", "authority");
	write_file("token", "abc");
	write_file("config", CONFIG(SERVER ", certificate-authority: ca.crt", "tokenFile: token"));
	assert_int_equal(kube_access_from_file(path, NULL, &a, &text), OK);
	assert_string_equal(a.ca.p, "authority");
	assert_non_null(strstr(a.token_file, "/token"));
	assert_int_equal(a.token_file[0], '/');
	kube_access_fini(&a);
	mem_free(path);
}

static void json_is_a_kubeconfig_too(void **state)
{
	static const char json[] =
		"{\"current-context\": \"x\", \"contexts\": [{\"name\": \"x\", \"context\": "
		"{\"cluster\": \"c\"}}], \"clusters\": [{\"name\": \"c\", \"cluster\": "
		"{\"server\": \"http://a\", \"insecure-skip-tls-verify\": true}}]}";
	struct err_text text;
	struct kube_access a;

	(void)state;
	assert_int_equal(parse(json, NULL, &a, &text), OK);
	assert_string_equal(a.namespace, "default");
	assert_true(a.is_unverified);
	kube_access_fini(&a);
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	static const struct {
		const char *yaml;
		enum err err;
		const char *said;
	} bad[] = {
		{ CONFIG(SERVER, "exec: {command: aws}"), ERR_UNSUPPORTED,
		  "file: exec is not supported; give the user a token" },
		{ CONFIG(SERVER, "auth-provider: {name: gcp}"), ERR_UNSUPPORTED, "auth-provider" },
		{ CONFIG(SERVER, "username: me"), ERR_UNSUPPORTED, "username" },
		{ CONFIG(SERVER ", proxy-url: \"http://p\"", ""), ERR_UNSUPPORTED, "proxy-url" },
		{ CONFIG(SERVER ", certificate-authority-data: \"%%\"", ""), ERR_BAD_INPUT,
		  "certificate-authority-data is not base64" },
		{ CONFIG(SERVER ", certificate-authority: ca", ""), ERR_NOT_FOUND, "/nowhere/ca" },
		{ CONFIG(SERVER, "client-certificate-data: UEVN"), ERR_BAD_INPUT,
		  "belong together" },
		{ CONFIG(SERVER, "token: \"a\\nb\""), ERR_BAD_INPUT, "token has blanks" },
		{ CONFIG("server: \"ftp://a\"", ""), ERR_BAD_INPUT, "no http(s) address" },
		{ "contexts: []\n", ERR_NOT_FOUND, "no current-context" },
		{ "", ERR_NOT_FOUND, "no current-context" },
		{ "a: 1\nb: [1, 2\nc: 3\n", ERR_BAD_INPUT, "file: line 3: " },
		{ "a: &x 1\nb: *x\n", ERR_BAD_INPUT, "line 2: an alias" },
		{ "a: 1\na: 2\n", ERR_BAD_INPUT, "line 2: a key that was there already" },
		{ "? [a]\n: 2\n", ERR_BAD_INPUT, "line 1: a key that is no text" },
		{ "a: \"x\\0y\"\n", ERR_BAD_INPUT, "line 1: a text with a NUL byte" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err_text text;
		struct kube_access a;

		assert_int_equal(parse(bad[i].yaml, NULL, &a, &text), bad[i].err);
		if (!strstr(text.text, bad[i].said))
			fail_msg("'%s' does not say '%s'", text.text, bad[i].said);
	}
}

static void a_deep_document_ends_at_the_limit(void **state)
{
	char deep[LIMIT_JSON_DEPTH + 10];
	struct err_text text = { "" };
	json_t *root;

	(void)state;
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(kube_yaml_parse(str_of(deep), &root, &text), ERR_BAD_INPUT);
	assert_non_null(strstr(text.text, "nested too deeply"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_account_is_read_and_its_token_again_and_again),
		cmocka_unit_test(a_kubeconfig_gives_its_current_context_or_the_one_named),
		cmocka_unit_test(files_of_a_kubeconfig_are_beside_it),
		cmocka_unit_test(json_is_a_kubeconfig_too),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(a_deep_document_ends_at_the_limit),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
