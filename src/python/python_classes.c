/* SPDX-License-Identifier: MIT
 *
 * python_classes - the user classes of a locustfile as the engine knows them: a scenario whose
 * tasks nobody calls, for the users run themselves. */
#include "python/python_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

/* Never called: it marks a row of a list of tasks as used. */
static void run_elsewhere(struct cic_user *u)
{
	ensure(!u);
}

static char *copy_text(PyObject *text)
{
	const char *bytes = text && text != Py_None ? PyUnicode_AsUTF8(text) : NULL;

	return bytes ? mem_strdup(bytes) : NULL;
}

/* found: (name, host, weight, fixed_count, is_paced, [(task's name, weight, tags), ...]) */
static struct python_class *class_from(struct python *p, PyObject *found, size_t index)
{
	PyObject *name, *host, *tasks;
	struct python_class *class;
	unsigned long long fixed_count;
	double weight;
	int is_paced;
	size_t count;

	if (!PyArg_ParseTuple(found, "OOdKpO!", &name, &host, &weight, &fixed_count, &is_paced,
			      &PyList_Type, &tasks))
		return NULL;
	count = (size_t)PyList_GET_SIZE(tasks);
	if (count > LIMIT_USER_TASKS) {
		PyErr_Format(PyExc_ValueError, "class %S has %zu tasks; at most %d", name, count,
			     LIMIT_USER_TASKS);
		return NULL;
	}
	class = mem_zalloc(1, sizeof(*class) + (count + 1) * sizeof(class->tasks[0]));
	class->python = p;
	class->index = index;
	class->class = (struct cic_user_class){ .abi = CIC_ABI,
						.name = copy_text(name),
						.host = copy_text(host),
						.weight = weight,
						.fixed_count = fixed_count,
						.wait.kind = is_paced ? CIC_WAIT_PACING
								      : CIC_WAIT_CONSTANT,
						.tasks = class->tasks,
						.data_bytes = sizeof(struct python_user),
						.decode = true };
	for (size_t i = 0; i < count; i++) {
		PyObject *task = PyList_GET_ITEM(tasks, (Py_ssize_t)i);

		class->tasks[i].run = run_elsewhere;
		class->tasks[i].name = copy_text(PyTuple_GetItem(task, 0));
		class->tasks[i].weight = PyFloat_AsDouble(PyTuple_GetItem(task, 1));
		class->tasks[i].tags = copy_text(PyTuple_GetItem(task, 2));
	}
	return class;
}

static void class_free(struct python_class *class)
{
	for (struct cic_task *task = class->tasks; task->run; task++) {
		mem_free((void *)task->name);
		mem_free((void *)task->tags);
	}
	mem_free((void *)class->class.name);
	mem_free((void *)class->class.host);
	mem_free(class);
}

void python_classes_free(struct python *p)
{
	for (size_t i = 0; i < p->class_count; i++)
		class_free(p->classes[i]);
	mem_free(p->classes);
	for (size_t i = 0; i < p->shape_count; i++)
		mem_free((void *)p->shapes[i].name);
	mem_free(p->shapes);
}

static void describe_shapes(struct python *p, PyObject *list)
{
	size_t count = (size_t)PyList_GET_SIZE(list);

	p->shapes = mem_zalloc(count, sizeof(*p->shapes));
	for (; p->shape_count < count; p->shape_count++) {
		PyObject *item = PyList_GET_ITEM(list, (Py_ssize_t)p->shape_count);

		p->shapes[p->shape_count] =
			(struct cic_shape){ .abi = CIC_ABI,
					    .name = copy_text(PyTuple_GetItem(item, 0)),
					    .ask = python_ask_shape,
					    .use_common_options =
						    PyTuple_GetItem(item, 1) == Py_True };
	}
	p->scenario->shape = count ? p->shapes : NULL;
	p->scenario->shapes = p->shapes;
	p->scenario->shape_count = count;
	p->scenario->choose_shape = python_choose_shape;
}

enum err python_classes_describe(struct python *p, PyObject *described, struct err_text *text)
{
	PyObject *found = PyTuple_GetItem(described, 0);
	PyObject *shapes = PyTuple_GetItem(described, 1);
	const char *name = PyBytes_AsString(PyTuple_GetItem(described, 2));
	const char *slash = strrchr(p->path, '/');
	size_t count = PyList_Check(found) ? (size_t)PyList_GET_SIZE(found) : 0;
	const struct cic_user_class **classes;

	if (count > LIMIT_USER_CLASSES)
		return err_set(text, ERR_TOO_BIG, "%s: %zu user classes; at most %d", name, count,
			       LIMIT_USER_CLASSES);
	if (PyList_GET_SIZE(shapes) > LIMIT_SHAPES)
		return err_set(text, ERR_TOO_BIG, "%s: %zd load shapes; at most %d", name,
			       PyList_GET_SIZE(shapes), LIMIT_SHAPES);
	p->classes = mem_zalloc(count, sizeof(*p->classes));
	classes = mem_zalloc(count, sizeof(*classes));
	for (; p->class_count < count; p->class_count++) {
		PyObject *item = PyList_GET_ITEM(found, (Py_ssize_t)p->class_count);
		struct python_class *class = class_from(p, item, p->class_count);

		if (!class)
			break;
		p->classes[p->class_count] = class;
		classes[p->class_count] = &class->class;
	}
	*p->scenario = (struct scenario){
		.classes = classes,
		.class_count = p->class_count,
		.file_name = mem_strdup(name),
		.folder = slash ? mem_strndup(p->path,
					      slash > p->path ? (size_t)(slash - p->path) : 1)
				: mem_strdup("."),
	};
	describe_shapes(p, shapes);
	if (p->class_count == count && !PyErr_Occurred())
		return OK;
	PyErr_Print();
	scenario_unload(p->scenario);
	return err_set(text, ERR_BAD_INPUT, "%s: a user class cannot be described", name);
}
