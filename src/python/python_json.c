/* SPDX-License-Identifier: MIT
 *
 * python_json - json.dumps for bodies of requests, with the text that it would write and several
 * times as fast: most of what a request with a body of numbers costs is to write them.
 *
 * Plain values only, by their exact types, for none of them runs Python code. Of a value that
 * holds anything else nothing is written, and json.dumps is asked, which also has the words for
 * what cannot be written at all. Of a dict that was written before the text is known
 * (python_memo.c). */
#include "python/python_int.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"

#define REAL_BYTES 32
#define INT_BYTES  20 /* of an engine's integer, with its sign */

/* Behind `at` is room up to `end`. */
struct writer {
	struct python *python;
	struct buf *out;
	char *at, *end;
	unsigned depth;
	bool allows_nan;
	size_t unsettled; /* values so far that may have another text the next time */
};

static bool write_value(struct writer *w, PyObject *value);

static bool grow(struct writer *w, size_t len)
{
	w->out->len = (size_t)(w->at - w->out->p);
	w->at = buf_room(w->out, len);
	if (!w->at)
		return false;
	w->end = w->out->p + w->out->cap - 1;
	return true;
}

/* Room for `len` bytes. */
static inline bool need(struct writer *w, size_t len)
{
	return (size_t)(w->end - w->at) >= len || grow(w, len);
}

static inline void put(struct writer *w, const char *bytes, size_t len)
{
	memcpy(w->at, bytes, len);
	w->at += len;
}

static inline bool write_bytes(struct writer *w, const char *bytes, size_t len)
{
	if (!need(w, len))
		return false;
	put(w, bytes, len);
	return true;
}

/* Of a literal. */
#define WRITE(w, word) write_bytes(w, word, sizeof(word) - 1)

/* ---- numbers ---- */

/* Those of up to six decimals and 15 digits, which are most that people write. Two numbers of 15
 * digits are never the same double; so one that reads back as the value is the shortest that
 * does. False: it is none of them. */
static bool put_short_real(struct writer *w, double value)
{
	const double size = fabs(value);
	char text[REAL_BYTES], *end = text + sizeof(text), *at = end;
	uint64_t digits, whole;

	/* Below, an exponent is written. */
	if (!(size >= 1e-4 && size < 1e9) && size != 0)
		return false;
	digits = (uint64_t)(size * 1e6 + 0.5);
	if ((double)digits / 1e6 != size)
		return false;
	whole = digits / 1000000;
	digits %= 1000000;
	for (int place = 0; place < 6; place++, digits /= 10)
		*--at = (char)('0' + digits % 10);
	while (end > at + 1 && end[-1] == '0')
		end--;
	*--at = '.';
	do {
		*--at = (char)('0' + whole % 10);
		whole /= 10;
	} while (whole);
	if (signbit(value))
		*--at = '-';
	put(w, at, (size_t)(end - at));
	return true;
}

static bool write_real(struct writer *w, double value)
{
	char *text;
	bool is_done;

	if (!need(w, REAL_BYTES))
		return false;
	if (put_short_real(w, value))
		return true;
	if (!isfinite(value)) {
		w->unsettled++;
		return w->allows_nan && (isnan(value) ? WRITE(w, "NaN")
					 : value > 0  ? WRITE(w, "Infinity")
						      : WRITE(w, "-Infinity"));
	}
	text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
	is_done = text && write_bytes(w, text, strlen(text));
	PyMem_Free(text);
	return is_done;
}

/* Larger ones than the engine has are left to json.dumps. */
static bool write_int(struct writer *w, PyObject *value)
{
	int overflow;
	long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
	uint64_t size = number < 0 ? -(uint64_t)number : (uint64_t)number;
	char text[INT_BYTES], *end = text + sizeof(text), *at = end;

	if (overflow || !need(w, INT_BYTES))
		return false;
	do {
		*--at = (char)('0' + size % 10);
		size /= 10;
	} while (size);
	if (number < 0)
		*--at = '-';
	put(w, at, (size_t)(end - at));
	return true;
}

/* ---- text ---- */

/* What stands in a text as it is. */
static const bool plain[128] = {
	[' ' ... '!'] = true,
	['#' ... '['] = true,
	[']' ... '~'] = true,
};

static void put_unit(struct writer *w, unsigned unit)
{
	static const char hex[] = "0123456789abcdef";
	const char text[] = {
		'\\', 'u', hex[unit >> 12], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]
	};

	put(w, text, sizeof(text));
}

#define ESCAPE_BYTES 12 /* of two units */

static void put_escape(struct writer *w, unsigned c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found = c && c < 128 ? strchr(from, (int)c) : NULL;

	if (found) {
		*w->at++ = '\\';
		*w->at++ = to[found - from];
	} else if (c < 0x10000) {
		put_unit(w, c);
	} else {
		put_unit(w, 0xd800 + ((c - 0x10000) >> 10));
		put_unit(w, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

static bool write_chars(struct writer *w, PyObject *text, size_t len)
{
	const unsigned kind = PyUnicode_KIND(text);
	const void *data = PyUnicode_DATA(text);

	for (size_t i = 0; i < len; i++) {
		Py_UCS4 c = PyUnicode_READ(kind, data, (Py_ssize_t)i);

		if (!need(w, ESCAPE_BYTES))
			return false;
		if (c < 128 && plain[c])
			*w->at++ = (char)c;
		else
			put_escape(w, c);
	}
	return true;
}

/* False: it has to be escaped, and w->at is where it was. */
static bool put_plain(struct writer *w, const unsigned char *bytes, size_t len)
{
	bool is_plain = true;

	for (size_t i = 0; i < len; i++) {
		w->at[i] = (char)bytes[i];
		is_plain &= plain[bytes[i]];
	}
	if (is_plain)
		w->at += len;
	return is_plain;
}

static bool write_text(struct writer *w, PyObject *text)
{
	size_t len;

	if (PyUnicode_READY(text))
		return false;
	len = (size_t)PyUnicode_GET_LENGTH(text);
	if (!need(w, len + 2))
		return false;
	*w->at++ = '"';
	if (!(PyUnicode_IS_ASCII(text) && put_plain(w, PyUnicode_DATA(text), len)) &&
	    !write_chars(w, text, len))
		return false;
	return WRITE(w, "\"");
}

/* ---- what holds others ---- */

static bool write_items(struct writer *w, PyObject *list)
{
	PyObject **items = PySequence_Fast_ITEMS(list);
	Py_ssize_t count = PySequence_Fast_GET_SIZE(list);

	for (Py_ssize_t i = 0; i < count; i++)
		if ((i && !WRITE(w, ", ")) || !write_value(w, items[i]))
			return false;
	return true;
}

/* All but text stands in quotes, too. */
static bool write_key(struct writer *w, PyObject *key)
{
	if (PyUnicode_CheckExact(key))
		return write_text(w, key);
	if (!PyLong_CheckExact(key) && !PyFloat_CheckExact(key) && !PyBool_Check(key) &&
	    key != Py_None)
		return false;
	return WRITE(w, "\"") && write_value(w, key) && WRITE(w, "\"");
}

static bool write_pairs(struct writer *w, PyObject *dict)
{
	PyObject *key, *value;
	Py_ssize_t at = 0;

	for (bool is_first = true; PyDict_Next(dict, &at, &key, &value); is_first = false)
		if ((!is_first && !WRITE(w, ", ")) || !write_key(w, key) || !WRITE(w, ": ") ||
		    !write_value(w, value))
			return false;
	return true;
}

static bool write_dict(struct writer *w, PyObject *dict)
{
	struct python_memo_slot *known = python_memo_find(w->python, dict);
	size_t began = (size_t)(w->at - w->out->p), unsettled = w->unsettled;

	if (known && known->text)
		return write_bytes(w, known->text, known->len);
	if (!WRITE(w, "{") || !write_pairs(w, dict) || !WRITE(w, "}"))
		return false;
	if (known && w->unsettled == unsettled)
		python_memo_keep(
			w->python, known,
			(struct str){ w->out->p + began, (size_t)(w->at - w->out->p) - began });
	return true;
}

static bool write_nested(struct writer *w, PyObject *value)
{
	bool is_dict = PyDict_CheckExact(value), is_done;

	if (!is_dict && !PyList_CheckExact(value) && !PyTuple_CheckExact(value))
		return false;
	/* Also what holds itself. */
	if (w->depth == LIMIT_JSON_DEPTH)
		return false;
	w->depth++;
	is_done = is_dict ? write_dict(w, value)
			  : WRITE(w, "[") && write_items(w, value) && WRITE(w, "]");
	w->depth--;
	w->unsettled++;
	return is_done;
}

static bool write_value(struct writer *w, PyObject *value)
{
	if (PyUnicode_CheckExact(value))
		return write_text(w, value);
	if (PyFloat_CheckExact(value))
		return write_real(w, PyFloat_AS_DOUBLE(value));
	if (PyLong_CheckExact(value))
		return write_int(w, value);
	if (value == Py_None)
		return WRITE(w, "null");
	if (PyBool_Check(value))
		return value == Py_True ? WRITE(w, "true") : WRITE(w, "false");
	return write_nested(w, value);
}

/* ---- the function ---- */

PyObject *python_json_text(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct python *p = python_self();
	struct buf *out = &p->json;
	struct writer w = { .python = p, .out = out };
	PyObject *text = NULL;
	bool is_done;

	(void)module;
	if (count != 2) {
		PyErr_SetString(PyExc_TypeError, "json_text() takes 2 arguments");
		return NULL;
	}
	w.allows_nan = args[1] == Py_True;
	w.at = buf_room(out, 1);
	w.end = out->p + out->cap - 1;
	is_done = write_value(&w, args[0]);
	PyErr_Clear();
	if (is_done) {
		text = PyUnicode_New(w.at - out->p, 127);
		if (text)
			memcpy(PyUnicode_DATA(text), out->p, (size_t)(w.at - out->p));
	}
	buf_clear(out);
	if (out->cap > LIMIT_PYTHON_JSON_KEPT)
		buf_fini(out);
	return is_done ? text : Py_NewRef(Py_None);
}
