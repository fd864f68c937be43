/* Bencode both ways, as src/ngcp/ng/bencode.py has it, which is the specification: whatever is not written, or to be
 * written, in the plainest way is answered with None and left to it, errors above all.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define MAX_SIZE 65535 /* as in bencode.py */
#define MAX_DEPTH 16
#define MAX_DIGITS 18 /* what surely fits into 64 bits; longer is not the plainest way */
#define MAX_KEYS 64   /* of a dictionary that is written here */

/* --- Reading: NULL without an exception says that the specification has to decide --- */

typedef struct {
    const char *at, *end;
} Cursor;

static PyObject *read_value(Cursor *c, int depth);

/* The number before `mark`, which is taken too; -1 if it is none. */
static long long read_number(Cursor *c, char mark) {
    const char *start = c->at;
    long long number = 0;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && c->at - start < MAX_DIGITS)
        number = number * 10 + (*c->at++ - '0');
    if (c->at == start || c->at == c->end || *c->at != mark || (*start == '0' && c->at - start > 1))
        return -1;
    c->at++;
    return number;
}

static PyObject *read_integer(Cursor *c) {
    int is_negative = c->at < c->end && *c->at == '-';
    c->at += is_negative;
    long long number = read_number(c, 'e');
    return number < 0 || (is_negative && number == 0) ? NULL : PyLong_FromLongLong(is_negative ? -number : number);
}

static PyObject *read_string(Cursor *c) {
    long long len = read_number(c, ':');
    if (len < 0 || len > c->end - c->at)
        return NULL;
    const char *start = c->at;
    c->at += len;
    return PyUnicode_DecodeUTF8(start, (Py_ssize_t)len, "surrogateescape");
}

static int is_end(Cursor *c) {
    if (c->at < c->end && *c->at == 'e') {
        c->at++;
        return 1;
    }
    return 0;
}

static PyObject *read_list(Cursor *c, int depth) {
    PyObject *list = PyList_New(0);
    while (list != NULL && !is_end(c)) {
        PyObject *item = read_value(c, depth);
        if (item == NULL || PyList_Append(list, item) < 0)
            Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *read_dictionary(Cursor *c, int depth) {
    PyObject *dictionary = PyDict_New();
    while (dictionary != NULL && !is_end(c)) {
        PyObject *key = read_string(c), *value = key == NULL ? NULL : read_value(c, depth);
        Py_ssize_t before = PyDict_GET_SIZE(dictionary);
        if (value == NULL || PyDict_SetItem(dictionary, key, value) < 0 || PyDict_GET_SIZE(dictionary) == before)
            Py_CLEAR(dictionary); /* a key twice, among others */
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return dictionary;
}

static PyObject *read_value(Cursor *c, int depth) {
    if (depth == 0 || c->at == c->end)
        return NULL;
    switch (*c->at) {
    case 'd':
        c->at++;
        return read_dictionary(c, depth - 1);
    case 'l':
        c->at++;
        return read_list(c, depth - 1);
    case 'i':
        c->at++;
        return read_integer(c);
    default:
        return read_string(c);
    }
}

static PyObject *decode(PyObject *module, PyObject *data) {
    Cursor c;
    Py_ssize_t len;
    char *start;
    if (PyBytes_AsStringAndSize(data, &start, &len) < 0)
        return NULL;
    if (len > MAX_SIZE)
        Py_RETURN_NONE;
    c = (Cursor){start, start + len};
    PyObject *value = read_value(&c, MAX_DEPTH);
    if (value != NULL && c.at == c.end)
        return value;
    Py_XDECREF(value);
    if (PyErr_Occurred())
        return NULL;
    Py_RETURN_NONE;
}

/* --- Writing --- */

typedef struct {
    char *bytes;
    size_t len, room;
} Text;

typedef struct {
    const char *at;
    Py_ssize_t len;
    PyObject *value;
} Entry;

static int put(Text *t, const char *bytes, size_t len) {
    if (t->len + len > t->room) {
        size_t room = 2 * (t->len + len) + 512;
        char *grown = PyMem_Realloc(t->bytes, room);
        if (grown == NULL)
            return 0;
        t->bytes = grown;
        t->room = room;
    }
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    return 1;
}

static int put_string(Text *t, const char *at, Py_ssize_t len) {
    char head[24];
    return put(t, head, (size_t)snprintf(head, sizeof head, "%zd:", len)) && put(t, at, (size_t)len);
}

static int is_plain(PyObject *text) { return PyUnicode_CheckExact(text) && PyUnicode_IS_COMPACT_ASCII(text); }

static int write_value(Text *t, PyObject *value, int depth);

static int is_before(const Entry *one, const Entry *other) {
    int order = memcmp(one->at, other->at, (size_t)(one->len < other->len ? one->len : other->len));
    return order < 0 || (order == 0 && one->len < other->len);
}

/* Keys are few: each is put into its place among those before it. */
static int sort_entries(PyObject *dictionary, Entry *entries) {
    PyObject *key, *value;
    Py_ssize_t position = 0;
    int count = 0;
    while (PyDict_Next(dictionary, &position, &key, &value)) {
        if (!is_plain(key))
            return -1;
        Entry entry = {(const char *)PyUnicode_1BYTE_DATA(key), PyUnicode_GET_LENGTH(key), value};
        int place = count++;
        for (; place > 0 && is_before(&entry, &entries[place - 1]); place--)
            entries[place] = entries[place - 1];
        entries[place] = entry;
    }
    return count;
}

static int write_dictionary(Text *t, PyObject *dictionary, int depth) {
    Entry entries[MAX_KEYS];
    int count = PyDict_GET_SIZE(dictionary) > MAX_KEYS ? -1 : sort_entries(dictionary, entries);
    if (count < 0 || !put(t, "d", 1))
        return 0;
    for (int i = 0; i < count; i++)
        if (!put_string(t, entries[i].at, entries[i].len) || !write_value(t, entries[i].value, depth))
            return 0;
    return put(t, "e", 1);
}

static int write_list(Text *t, PyObject *list, int depth) {
    if (!put(t, "l", 1))
        return 0;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++)
        if (!write_value(t, PyList_GET_ITEM(list, i), depth))
            return 0;
    return put(t, "e", 1);
}

static int write_integer(Text *t, PyObject *value) {
    char text[32];
    int has_overflown;
    long long number = PyLong_AsLongLongAndOverflow(value, &has_overflown);
    return !has_overflown && put(t, text, (size_t)snprintf(text, sizeof text, "i%llde", number));
}

static int write_value(Text *t, PyObject *value, int depth) {
    if (depth == 0)
        return 0;
    if (is_plain(value))
        return put_string(t, (const char *)PyUnicode_1BYTE_DATA(value), PyUnicode_GET_LENGTH(value));
    if (PyLong_CheckExact(value))
        return write_integer(t, value);
    if (PyList_CheckExact(value))
        return write_list(t, value, depth - 1);
    return PyDict_CheckExact(value) && write_dictionary(t, value, depth - 1);
}

static PyObject *encode(PyObject *module, PyObject *value) {
    Text t = {NULL, 0, 0};
    int is_written = write_value(&t, value, MAX_DEPTH);
    PyObject *bytes = is_written ? PyBytes_FromStringAndSize(t.bytes, (Py_ssize_t)t.len) : Py_NewRef(Py_None);
    PyMem_Free(t.bytes);
    return bytes;
}

static PyMethodDef functions[] = {
    {"decode", decode, METH_O, NULL},
    {"encode", encode, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "ngcp_bencode",
    .m_doc = "Plain bencode in C; specified by ngcp.ng.bencode, which serves where this is absent.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit_ngcp_bencode(void) { return PyModule_Create(&module); }
