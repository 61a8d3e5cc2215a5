/* SPDX-License-Identifier: MIT
 *
 * fuzz_model - the texts of a model's folder: an input that begins with { is model.json, any other
 * is MLmodel beside a good one. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "infer/model.h"

#define COLUMN "{\"name\":\"a\",\"offset\":0,\"scale\":1}"

static const char good[] = "{\"format\":\"cicada-lstm-1\",\"model\":\"m\",\"run_id\":\"r\","
			   "\"weights\":\"w\",\"window\":1,\"layers\":1,\"hidden\":1,"
			   "\"features\":[" COLUMN "],\"targets\":[" COLUMN "]}";

static char folder[] = "/dev/shm/cicada-fuzz-XXXXXX";

static void drop_folder(void)
{
	FUZZ_CHECK(chdir(folder) == 0);
	unlink("model.json");
	unlink("MLmodel");
	rmdir(folder);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	FUZZ_CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
	static bool is_made;
	const bool is_json = len && input[0] == '{';
	struct err_text why = { 0 };
	struct model *m = NULL;

	if (!is_made)
		FUZZ_CHECK(mkdtemp(folder) && atexit(drop_folder) == 0);
	is_made = true;
	write_file("model.json", is_json ? (const char *)input : good,
		   is_json ? len : sizeof(good) - 1);
	write_file("MLmodel", input, is_json ? 0 : len);
	/* There are no weights, so the best that can come of it is their name. */
	FUZZ_CHECK(model_create(&m, folder, &why) != OK);
	FUZZ_CHECK(!m && why.text[0]);
	return 0;
}
