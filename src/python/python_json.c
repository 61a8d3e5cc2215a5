/* SPDX-License-Identifier: MIT
 *
 * python_json - json.dumps for bodies of requests, with the text that it would write and several
 * times as fast: most of what a request with a body of numbers costs is to write them.
 *
 * Plain values only, by their exact types, for none of them runs Python code. Of a value that
 * holds anything else nothing is written, and json.dumps is asked, which also has the words for
 * what cannot be written at all. */
#include "python/python_int.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"

/* What a value may do to the text around it. */
#define SEPARATOR	", "
#define SEPARATOR_BYTES (sizeof(SEPARATOR) - 1)
#define REAL_BYTES	32

struct writer {
	struct buf *out;
	unsigned depth;
	bool allows_nan;
};

static bool write_value(struct writer *w, PyObject *value);

/* ---- numbers ---- */

/* Those of up to six decimals and 15 digits, which are most that people write. Two numbers of 15
 * digits are never the same double; so one that reads back as the value is the shortest that
 * does. */
static size_t short_real(char out[REAL_BYTES], double value)
{
	const double size = fabs(value);
	char text[REAL_BYTES], *end = text + sizeof(text), *at = end;
	uint64_t digits, whole;

	/* Below, an exponent is written. */
	if (!(size >= 1e-4 && size < 1e9) && size != 0)
		return 0;
	digits = (uint64_t)(size * 1e6 + 0.5);
	if ((double)digits / 1e6 != size)
		return 0;
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
	memcpy(out, at, (size_t)(end - at));
	return (size_t)(end - at);
}

static bool write_real(struct writer *w, double value)
{
	char *to = buf_room(w->out, REAL_BYTES), *text;
	size_t len = to ? short_real(to, value) : 0;

	if (len) {
		w->out->len += len;
		return true;
	}
	if (!isfinite(value)) {
		buf_add_text(w->out, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
		return w->allows_nan;
	}
	text = PyOS_double_to_string(value, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
	if (!text)
		return false;
	buf_add_text(w->out, text);
	PyMem_Free(text);
	return true;
}

/* Larger ones than the engine has are left to json.dumps. */
static bool write_int(struct writer *w, PyObject *value)
{
	int overflow;
	long long number = PyLong_AsLongLongAndOverflow(value, &overflow);

	if (overflow)
		return false;
	if (number < 0)
		buf_add_char(w->out, '-');
	buf_add_u64(w->out, number < 0 ? -(uint64_t)number : (uint64_t)number);
	return true;
}

/* ---- text ---- */

static bool is_plain(unsigned c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

static bool are_plain(const char *bytes, size_t len)
{
	bool are = true;

	for (size_t i = 0; i < len; i++)
		are &= is_plain((unsigned char)bytes[i]);
	return are;
}

static void write_unit(struct buf *out, unsigned unit)
{
	static const char hex[] = "0123456789abcdef";
	const char text[] = {
		'\\', 'u', hex[unit >> 12], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]
	};

	buf_add(out, text, sizeof(text));
}

static void write_escape(struct buf *out, unsigned c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found = c && c < 128 ? strchr(from, (int)c) : NULL;

	if (found) {
		buf_add_char(out, '\\');
		buf_add_char(out, to[found - from]);
	} else if (c < 0x10000) {
		write_unit(out, c);
	} else {
		write_unit(out, 0xd800 + ((c - 0x10000) >> 10));
		write_unit(out, 0xdc00 + ((c - 0x10000) & 0x3ff));
	}
}

static void write_escaped(struct buf *out, PyObject *text)
{
	const Py_ssize_t len = PyUnicode_GET_LENGTH(text);
	const unsigned kind = PyUnicode_KIND(text);
	const void *data = PyUnicode_DATA(text);

	for (Py_ssize_t i = 0; i < len; i++) {
		Py_UCS4 c = PyUnicode_READ(kind, data, i);

		if (is_plain(c))
			buf_add_char(out, (char)c);
		else
			write_escape(out, c);
	}
}

static bool write_text(struct writer *w, PyObject *text)
{
	struct buf *out = w->out;
	size_t len;
	char *to;

	if (PyUnicode_READY(text))
		return false;
	len = (size_t)PyUnicode_GET_LENGTH(text);
	if (!PyUnicode_IS_ASCII(text) || !are_plain(PyUnicode_DATA(text), len)) {
		buf_add_char(out, '"');
		write_escaped(out, text);
		buf_add_char(out, '"');
		return true;
	}
	to = buf_room(out, len + 2);
	if (!to)
		return false;
	to[0] = '"';
	memcpy(to + 1, PyUnicode_DATA(text), len);
	to[len + 1] = '"';
	out->len += len + 2;
	return true;
}

/* ---- what holds others ---- */

static bool write_items(struct writer *w, PyObject *list)
{
	PyObject **items = PySequence_Fast_ITEMS(list);
	Py_ssize_t count = PySequence_Fast_GET_SIZE(list);

	buf_add_char(w->out, '[');
	for (Py_ssize_t i = 0; i < count; i++) {
		if (i)
			buf_add(w->out, SEPARATOR, SEPARATOR_BYTES);
		if (!write_value(w, items[i]))
			return false;
	}
	buf_add_char(w->out, ']');
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
	buf_add_char(w->out, '"');
	if (!write_value(w, key))
		return false;
	buf_add_char(w->out, '"');
	return true;
}

static bool write_dict(struct writer *w, PyObject *dict)
{
	PyObject *key, *value;
	Py_ssize_t at = 0;
	bool is_first = true;

	buf_add_char(w->out, '{');
	while (PyDict_Next(dict, &at, &key, &value)) {
		if (!is_first)
			buf_add(w->out, SEPARATOR, SEPARATOR_BYTES);
		is_first = false;
		if (!write_key(w, key))
			return false;
		buf_add(w->out, ": ", 2);
		if (!write_value(w, value))
			return false;
	}
	buf_add_char(w->out, '}');
	return true;
}

static bool write_nested(struct writer *w, PyObject *value)
{
	bool is_done = false;

	/* Also what holds itself. */
	if (w->depth == LIMIT_JSON_DEPTH)
		return false;
	w->depth++;
	if (PyDict_CheckExact(value))
		is_done = write_dict(w, value);
	else if (PyList_CheckExact(value) || PyTuple_CheckExact(value))
		is_done = write_items(w, value);
	w->depth--;
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
	if (value == Py_None || PyBool_Check(value)) {
		buf_add_text(w->out, value == Py_None	? "null"
				     : value == Py_True ? "true"
							: "false");
		return true;
	}
	return write_nested(w, value);
}

/* ---- the function ---- */

PyObject *python_json_text(PyObject *module, PyObject *const *args, Py_ssize_t count)
{
	struct python *p = python_self();
	struct writer w = { .out = &p->json };
	PyObject *text = NULL;
	bool is_done;

	(void)module;
	if (count != 2) {
		PyErr_SetString(PyExc_TypeError, "json_text() takes 2 arguments");
		return NULL;
	}
	w.allows_nan = args[1] == Py_True;
	is_done = write_value(&w, args[0]) && !w.out->is_full;
	PyErr_Clear();
	if (is_done) {
		text = PyUnicode_New((Py_ssize_t)w.out->len, 127);
		if (text)
			memcpy(PyUnicode_DATA(text), w.out->p, w.out->len);
	}
	buf_clear(w.out);
	if (w.out->cap > LIMIT_PYTHON_JSON_KEPT)
		buf_fini(w.out);
	return is_done ? text : Py_NewRef(Py_None);
}
