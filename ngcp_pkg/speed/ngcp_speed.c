/* Head: the header lines of one SIP message, found by name and changed by splice.
 *
 * The same as src/ngcp/sip/syntax/head.py, which is its specification: every test of the one runs on the other.
 * A line is a slice of an object that is kept alive (the received datagram, or the text of an edit), so that
 * scanning copies nothing and writing is one memcpy a line. It reads attackers' bytes: every index is checked
 * against the end of its slice, and every loop goes forward.
 */
#define _GNU_SOURCE /* memmem, recvmmsg */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <arpa/inet.h>
#include <structmember.h>
#include <sys/socket.h>

#define MAX_SIZE 65535  /* as in head.py */
#define MAX_LINES 256
#define MAX_NAME 128
#define SPARE 8         /* lines that are usually added on the way through */

typedef struct {
    const char *at;
    Py_ssize_t len;
} Slice;

typedef struct {
    PyObject *name;  /* canonical; one object for each known name, so identity decides */
    PyObject *owner; /* keeps `text` alive */
    Slice text;
    Py_ssize_t colon; /* offset of the first character behind the colon; text.len if there is none */
} Line;

typedef struct {
    PyObject_HEAD
    Line *lines;
    Py_ssize_t count, room;
    PyObject *body;  /* bytes */
    PyObject *views; /* dict, NULL until somebody asks */
} Head;

static PyTypeObject HeadType;
static PyObject *malformed, *too_large, *missing; /* exceptions of ngcp.sip.errors */
static PyObject *content_length;                  /* "Content-Length" */

/* --- Names: a table from any spelling to the one canonical name --- */

#define SLOTS 512

typedef struct {
    char spelling[32]; /* lower case */
    Py_ssize_t len;
    PyObject *canonical;
    int is_list;
} Known;

static Known known[SLOTS];

static unsigned char lower(unsigned char c) { return (c >= 'A' && c <= 'Z') ? (unsigned char)(c + 32) : c; }

static unsigned hash_of(Slice s) {
    unsigned h = 2166136261u;
    for (Py_ssize_t i = 0; i < s.len; i++)
        h = (h ^ lower((unsigned char)s.at[i])) * 16777619u;
    return h % SLOTS;
}

/* The entry of a spelling, or the free slot where it belongs; NULL for what is too long to be known. */
static Known *find_known(Slice s) {
    if (s.len >= (Py_ssize_t)sizeof known[0].spelling)
        return NULL;
    for (unsigned h = hash_of(s);; h = (h + 1) % SLOTS) {
        Known *k = &known[h];
        if (k->canonical == NULL)
            return k;
        if (k->len != s.len)
            continue;
        Py_ssize_t i = 0;
        while (i < s.len && lower((unsigned char)s.at[i]) == (unsigned char)k->spelling[i])
            i++;
        if (i == s.len)
            return k;
    }
}

static int slice_of(PyObject *text, Slice *s) {
    s->at = PyUnicode_AsUTF8AndSize(text, &s->len);
    return s->at == NULL ? -1 : 0;
}

/* New reference to the canonical name of a header as somebody spells it. */
static PyObject *canonical_of(PyObject *name) {
    Slice s;
    if (PyUnicode_IS_ASCII(name)) {
        if (slice_of(name, &s) < 0)
            return NULL;
        Known *k = find_known(s);
        if (k != NULL && k->canonical != NULL)
            return Py_NewRef(k->canonical);
    }
    return PyObject_CallMethod(name, "lower", NULL);
}

static PyObject *canonical_of_slice(Slice s) {
    Known *k = find_known(s);
    if (k != NULL && k->canonical != NULL)
        return Py_NewRef(k->canonical);
    PyObject *name = PyUnicode_New(s.len, 127);
    if (name != NULL)
        for (Py_ssize_t i = 0; i < s.len; i++)
            PyUnicode_1BYTE_DATA(name)[i] = lower((unsigned char)s.at[i]);
    return name;
}

static int is_list(PyObject *canonical) {
    Slice s;
    if (slice_of(canonical, &s) < 0) {
        PyErr_Clear();
        return 0;
    }
    Known *k = find_known(s);
    return k != NULL && k->canonical == canonical && k->is_list;
}

/* --- Text --- */

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static Slice strip(Slice s) {
    while (s.len > 0 && is_blank(s.at[0]))
        s.at++, s.len--;
    while (s.len > 0 && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

static PyObject *text_of(Slice s) { return PyUnicode_DecodeUTF8(s.at, s.len, "surrogateescape"); }

/* The bytes of a text and, as `*owner`, a new reference to what holds them. */
static int bytes_of(PyObject *text, Slice *s, PyObject **owner) {
    if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "text expected");
        return -1;
    }
    if (PyUnicode_IS_COMPACT_ASCII(text)) {
        s->at = (const char *)PyUnicode_1BYTE_DATA(text);
        s->len = PyUnicode_GET_LENGTH(text);
        *owner = Py_NewRef(text);
        return 0;
    }
    *owner = PyUnicode_AsEncodedString(text, "utf-8", "surrogateescape");
    if (*owner == NULL)
        return -1;
    s->at = PyBytes_AS_STRING(*owner);
    s->len = PyBytes_GET_SIZE(*owner);
    return 0;
}

/* A folded value on one line: its parts without the blanks around them, joined by one blank (§7.3.1). */
static PyObject *unfold(Slice s) {
    char *buffer = PyMem_Malloc(s.len ? s.len : 1);
    if (buffer == NULL)
        return PyErr_NoMemory();
    Py_ssize_t out = 0;
    for (;;) {
        const char *crlf = memmem(s.at, s.len, "\r\n", 2);
        Slice part = {s.at, crlf == NULL ? s.len : crlf - s.at};
        while (part.len > 0 && (part.at[0] == ' ' || part.at[0] == '\t'))
            part.at++, part.len--;
        while (part.len > 0 && (part.at[part.len - 1] == ' ' || part.at[part.len - 1] == '\t'))
            part.len--;
        memcpy(buffer + out, part.at, part.len);
        out += part.len;
        if (crlf == NULL)
            break;
        buffer[out++] = ' '; /* in the place of CRLF: it never grows */
        s.len -= crlf + 2 - s.at;
        s.at = crlf + 2;
    }
    PyObject *text = text_of((Slice){buffer, out});
    PyMem_Free(buffer);
    return text;
}

/* --- Lists: members are separated by commas outside of quoted strings and angle brackets --- */

/* The offset of the next separating comma, or -1; a quote or bracket left open reaches to the end. */
static Py_ssize_t next_comma(Slice s) {
    for (Py_ssize_t i = 0; i < s.len; i++) {
        if (s.at[i] == ',')
            return i;
        if (s.at[i] == '"') {
            for (i++; i < s.len && s.at[i] != '"'; i++)
                if (s.at[i] == '\\')
                    i++;
        } else if (s.at[i] == '<') {
            const char *close = memchr(s.at + i, '>', s.len - i);
            if (close == NULL)
                return -1;
            i = close - s.at;
        }
    }
    return -1;
}

/* Take the next member that is not empty off the list; 0 when there is none. */
static int next_member(Slice *list, Slice *member) {
    while (list->len > 0) {
        Py_ssize_t comma = next_comma(*list);
        *member = strip((Slice){list->at, comma < 0 ? list->len : comma});
        Py_ssize_t taken = comma < 0 ? list->len : comma + 1;
        list->at += taken;
        list->len -= taken;
        if (member->len > 0)
            return 1;
    }
    return 0;
}

/* --- Lines --- */

static void clear_line(Line *line) {
    Py_CLEAR(line->name);
    Py_CLEAR(line->owner);
}

static void drop_lines(Head *h) {
    for (Py_ssize_t i = 0; i < h->count; i++)
        clear_line(&h->lines[i]);
    h->count = 0;
}

static int make_room(Head *h, Py_ssize_t wanted) {
    if (wanted <= h->room)
        return 0;
    Py_ssize_t room = wanted + SPARE;
    Line *lines = PyMem_Realloc(h->lines, room * sizeof(Line));
    if (lines == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    h->lines = lines;
    h->room = room;
    return 0;
}

static void forget_view(Head *h, PyObject *name) {
    if (h->views != NULL && PyDict_GET_SIZE(h->views) && PyDict_DelItem(h->views, name) < 0)
        PyErr_Clear(); /* nobody had asked */
}

/* Where the first line called `name` (a canonical name) is at or behind `start`, or -1; -2 is an error. */
static Py_ssize_t find_canonical(Head *h, PyObject *name, Py_ssize_t start) {
    for (Py_ssize_t i = start; i < h->count; i++)
        if (h->lines[i].name == name)
            return i;
    Slice s;
    if (PyUnicode_IS_ASCII(name)) {
        if (slice_of(name, &s) < 0)
            return -2;
        Known *k = find_known(s);
        if (k != NULL && k->canonical == name)
            return -1;
    }
    for (Py_ssize_t i = start; i < h->count; i++) { /* nobody's name: another object each time */
        int same = PyObject_RichCompareBool(h->lines[i].name, name, Py_EQ);
        if (same != 0)
            return same < 0 ? -2 : i;
    }
    return -1;
}

/* The same for a name as somebody spells it; `*key` becomes a new reference to its canonical name. */
static Py_ssize_t find_line(Head *h, PyObject *name, PyObject **key) {
    *key = NULL;
    if (!PyUnicode_Check(name)) {
        PyErr_SetString(PyExc_TypeError, "a header's name is text");
        return -2;
    }
    for (Py_ssize_t i = 0; i < h->count; i++) /* most callers say it as we do */
        if (h->lines[i].name == name) {
            *key = Py_NewRef(name);
            return i;
        }
    *key = canonical_of(name);
    return *key == NULL ? -2 : find_canonical(h, *key, 0);
}

static Slice value_slice(const Line *line) {
    return strip((Slice){line->text.at + line->colon, line->text.len - line->colon});
}

/* The value of a line as somebody reads it. */
static PyObject *value_of(const Line *line) {
    Slice s = value_slice(line);
    return memchr(s.at, '\r', s.len) == NULL ? text_of(s) : unfold(s);
}

/* The value of a line on one line, without making a text of it where that can be avoided. */
static int plain_value(const Line *line, Slice *s, PyObject **owner) {
    *s = value_slice(line);
    *owner = NULL;
    if (memchr(s->at, '\r', s->len) == NULL)
        return 0;
    PyObject *text = unfold(*s);
    if (text == NULL)
        return -1;
    int failed = bytes_of(text, s, owner);
    Py_DECREF(text);
    return failed;
}

/* Make `line` read "name: value"; the name is `key`. */
static int write_line(Line *line, PyObject *key, Slice name, Slice value) {
    PyObject *owner = PyBytes_FromStringAndSize(NULL, name.len + 2 + value.len);
    if (owner == NULL)
        return -1;
    char *out = PyBytes_AS_STRING(owner);
    memcpy(out, name.at, name.len);
    out[name.len] = ':';
    out[name.len + 1] = ' ';
    memcpy(out + name.len + 2, value.at, value.len);
    *line = (Line){Py_NewRef(key), owner, {out, PyBytes_GET_SIZE(owner)}, name.len + 1};
    return 0;
}

static int insert_line(Head *h, Py_ssize_t index, PyObject *key, PyObject *name, PyObject *value) {
    Slice n, v;
    PyObject *name_owner, *value_owner;
    Line line;
    if (make_room(h, h->count + 1) < 0 || bytes_of(name, &n, &name_owner) < 0)
        return -1;
    if (bytes_of(value, &v, &value_owner) < 0) {
        Py_DECREF(name_owner);
        return -1;
    }
    int failed = write_line(&line, key, n, v);
    Py_DECREF(name_owner);
    Py_DECREF(value_owner);
    if (failed)
        return -1;
    forget_view(h, key);
    memmove(&h->lines[index + 1], &h->lines[index], (h->count - index) * sizeof(Line));
    h->lines[index] = line;
    h->count++;
    return 0;
}

static void delete_line(Head *h, Py_ssize_t index) {
    Line line = h->lines[index];
    memmove(&h->lines[index], &h->lines[index + 1], (h->count - index - 1) * sizeof(Line));
    h->count--;
    forget_view(h, line.name);
    clear_line(&line);
}

/* Let a line have another value under `name`; without any it goes. */
static int rewrite_line(Head *h, Py_ssize_t index, PyObject *name, Slice value) {
    if (value.len == 0) {
        delete_line(h, index);
        return 0;
    }
    Slice n;
    PyObject *owner;
    Line line;
    if (bytes_of(name, &n, &owner) < 0)
        return -1;
    int failed = write_line(&line, h->lines[index].name, n, value);
    Py_DECREF(owner);
    if (failed)
        return -1;
    Line old = h->lines[index];
    h->lines[index] = line;
    forget_view(h, line.name);
    clear_line(&old);
    return 0;
}

static PyObject *raise_missing(PyObject *name) {
    PyObject *error = PyObject_CallOneArg(missing, name);
    if (error != NULL) {
        PyErr_SetObject(missing, error);
        Py_DECREF(error);
    }
    return NULL;
}

/* --- Making, scanning, writing --- */

static PyObject *Head_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    Head *h = (Head *)type->tp_alloc(type, 0);
    if (h != NULL)
        h->body = PyBytes_FromStringAndSize(NULL, 0);
    return (PyObject *)h;
}

static void Head_dealloc(Head *h) {
    drop_lines(h);
    PyMem_Free(h->lines);
    Py_CLEAR(h->body);
    Py_CLEAR(h->views);
    Py_TYPE(h)->tp_free((PyObject *)h);
}

/* A line as a text gives it: the name is what stands before its colon, without blanks behind it. */
static int add_text(Head *h, PyObject *text) {
    Line line = {NULL, NULL, {NULL, 0}, 0};
    if (make_room(h, h->count + 1) < 0 || bytes_of(text, &line.text, &line.owner) < 0)
        return -1;
    const char *colon = memchr(line.text.at, ':', line.text.len);
    Slice name = {line.text.at, colon == NULL ? line.text.len : colon - line.text.at};
    line.colon = colon == NULL ? line.text.len : name.len + 1;
    while (name.len > 0 && (name.at[name.len - 1] == ' ' || name.at[name.len - 1] == '\t'))
        name.len--;
    PyObject *spelled = text_of(name);
    if (spelled != NULL)
        line.name = canonical_of(spelled);
    Py_XDECREF(spelled);
    if (line.name == NULL) {
        clear_line(&line);
        return -1;
    }
    h->lines[h->count++] = line;
    return 0;
}

static int Head_init(Head *h, PyObject *args, PyObject *kwargs) {
    static char *words[] = {"lines", "body", NULL};
    PyObject *lines = NULL, *body = NULL, *line;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OS", words, &lines, &body))
        return -1;
    drop_lines(h);
    Py_CLEAR(h->views);
    if (body != NULL)
        Py_XSETREF(h->body, Py_NewRef(body));
    if (lines == NULL)
        return 0;
    PyObject *each = PyObject_GetIter(lines);
    if (each == NULL)
        return -1;
    while ((line = PyIter_Next(each)) != NULL) {
        int failed = add_text(h, line);
        Py_DECREF(line);
        if (failed)
            break;
    }
    Py_DECREF(each);
    return PyErr_Occurred() ? -1 : 0;
}

static int is_token(unsigned char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || (c && strchr(".!%*_+`'~-", c) != NULL);
}

static int complain(const char *problem, Slice line) {
    PyObject *text = text_of((Slice){line.at, line.len < 80 ? line.len : 80});
    if (text != NULL)
        PyErr_Format(malformed, "%s in line %R", problem, text);
    Py_XDECREF(text);
    return -1;
}

static int read_name(Line *line) {
    Slice s = line->text;
    const char *colon = memchr(s.at, ':', s.len);
    Py_ssize_t end = colon == NULL ? s.len : colon - s.at, len = 0;
    while (len < end && is_token((unsigned char)s.at[len]))
        len++;
    Py_ssize_t blank = len;
    while (blank < end && (s.at[blank] == ' ' || s.at[blank] == '\t'))
        blank++;
    if (len == 0 || len > MAX_NAME || blank != end)
        return complain("no header name", s);
    if (colon == NULL)
        return complain("no colon", s);
    line->colon = end + 1;
    line->name = canonical_of_slice((Slice){s.at, len});
    return line->name == NULL ? -1 : 0;
}

/* Cut the next line off `rest`; -1 if it does not end in CRLF, or holds a lone CR or LF. */
static int cut_line(Slice *rest, Slice *line) {
    const char *lf = memchr(rest->at, '\n', rest->len);
    Py_ssize_t len = lf == NULL ? rest->len : lf - rest->at;
    if (lf != NULL && (len == 0 || rest->at[len - 1] != '\r'))
        return -1;
    *line = (Slice){rest->at, lf == NULL ? len : len - 1};
    if (memchr(line->at, '\r', line->len) != NULL)
        return -1;
    rest->at += lf == NULL ? len : len + 1;
    rest->len -= lf == NULL ? len : len + 1;
    return 0;
}

static int too_many_lines(Py_ssize_t count) {
    PyErr_Format(too_large, "%zd header lines", count);
    return -1;
}

/* Whether NUL stands anywhere but in a quoted-pair, the one place where it may (§25.1). */
static int has_bare_nul(Slice s) {
    const char *at = s.at, *end = s.at + s.len;
    while ((at = memchr(at, 0, end - at)) != NULL) {
        if (at == s.at || at[-1] != '\\')
            return 1;
        at++;
    }
    return 0;
}

/* Read `head`, which is a part of `data`, into lines; its first line becomes `*start`. */
static int read_head(Head *h, PyObject *data, Slice head, Slice *start) {
    Slice line;
    Py_ssize_t count = 0;
    const char *end = head.at + head.len;
    int is_ambiguous = has_bare_nul(head) || cut_line(&head, start) < 0;
    drop_lines(h);
    Py_CLEAR(h->views);
    while (!is_ambiguous && head.at < end) {
        if (cut_line(&head, &line) < 0) {
            is_ambiguous = 1;
        } else if (count++ >= MAX_LINES) {
            continue;
        } else if (h->count > 0 && line.len > 0 && (line.at[0] == ' ' || line.at[0] == '\t')) {
            h->lines[h->count - 1].text.len = line.at + line.len - h->lines[h->count - 1].text.at;
        } else {
            if (make_room(h, h->count + 1) < 0)
                return -1;
            h->lines[h->count++] = (Line){NULL, Py_NewRef(data), line, 0};
        }
    }
    if (is_ambiguous) {
        PyErr_SetString(malformed, "a line does not end in CRLF, or holds NUL");
        return -1;
    }
    if (count > MAX_LINES)
        return too_many_lines(count);
    for (Py_ssize_t i = 0; i < h->count; i++)
        if (read_name(&h->lines[i]) < 0)
            return -1;
    return 0;
}

static PyObject *Head_scan(Head *h, PyObject *data) {
    char *at;
    Py_ssize_t len;
    if (PyBytes_AsStringAndSize(data, &at, &len) < 0)
        return NULL;
    if (len > MAX_SIZE)
        return PyErr_Format(too_large, "%zd bytes", len);
    while (len > 0 && (*at == '\r' || *at == '\n'))
        at++, len--;
    const char *end = memmem(at, len, "\r\n\r\n", 4);
    if (end == NULL) {
        PyErr_SetString(malformed, "no empty line behind the headers");
        return NULL;
    }
    PyObject *body = PyBytes_FromStringAndSize(end + 4, at + len - (end + 4));
    if (body == NULL)
        return NULL;
    Py_XSETREF(h->body, body);
    Slice start = {at, 0};
    if (read_head(h, data, (Slice){at, end - at}, &start) < 0) {
        drop_lines(h);
        return NULL;
    }
    return text_of(start);
}

static PyObject *Head_write(Head *h, PyObject *start_line) {
    Slice start;
    PyObject *owner;
    if (bytes_of(start_line, &start, &owner) < 0)
        return NULL;
    Py_ssize_t size = start.len + 4 + PyBytes_GET_SIZE(h->body);
    for (Py_ssize_t i = 0; i < h->count; i++)
        size += h->lines[i].text.len + 2;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, size);
    if (bytes != NULL) {
        char *out = PyBytes_AS_STRING(bytes);
        memcpy(out, start.at, start.len);
        out += start.len;
        for (Py_ssize_t i = 0; i < h->count; i++) {
            *out++ = '\r';
            *out++ = '\n';
            memcpy(out, h->lines[i].text.at, h->lines[i].text.len);
            out += h->lines[i].text.len;
        }
        memcpy(out, "\r\n\r\n", 4);
        memcpy(out + 4, PyBytes_AS_STRING(h->body), PyBytes_GET_SIZE(h->body));
    }
    Py_DECREF(owner);
    return bytes;
}

static PyObject *Head_twin(Head *h, PyObject *unused) {
    PyTypeObject *type = Py_TYPE(h);
    Head *twin = (Head *)type->tp_alloc(type, 0);
    if (twin == NULL || make_room(twin, h->count) < 0) {
        Py_XDECREF(twin);
        return NULL;
    }
    if (h->count > 0) // memcpy wants no NULL, not even for nothing
        memcpy(twin->lines, h->lines, h->count * sizeof(Line));
    for (Py_ssize_t i = 0; i < h->count; i++) {
        Py_INCREF(h->lines[i].name);
        Py_INCREF(h->lines[i].owner);
    }
    twin->count = h->count;
    twin->body = Py_NewRef(h->body);
    if (h->views != NULL && (twin->views = PyDict_Copy(h->views)) == NULL) {
        Py_DECREF(twin);
        return NULL;
    }
    return (PyObject *)twin;
}

/* Have those lines of another head and no others whose name is in a collection; no body. */
static PyObject *Head_adopt(Head *h, PyObject *const *args, Py_ssize_t count) {
    if (count != 2 || !PyObject_TypeCheck(args[0], &HeadType) || args[0] == (PyObject *)h) {
        PyErr_SetString(PyExc_TypeError, "adopt takes another head and a collection of names");
        return NULL;
    }
    Head *other = (Head *)args[0];
    PyObject *body = PyBytes_FromStringAndSize(NULL, 0);
    if (body == NULL)
        return NULL;
    Py_XSETREF(h->body, body);
    drop_lines(h);
    Py_CLEAR(h->views);
    for (Py_ssize_t i = 0; i < other->count; i++) {
        int wanted = PySequence_Contains(args[1], other->lines[i].name);
        if (wanted < 0 || (wanted && make_room(h, h->count + 1) < 0))
            return NULL;
        if (wanted) {
            h->lines[h->count++] = other->lines[i];
            Py_INCREF(other->lines[i].name);
            Py_INCREF(other->lines[i].owner);
        }
    }
    Py_RETURN_NONE;
}

/* --- Reading --- */

static int Head_contains(Head *h, PyObject *name) {
    PyObject *key;
    Py_ssize_t index = find_line(h, name, &key);
    Py_XDECREF(key);
    return index == -2 ? -1 : index >= 0;
}

static PyObject *Head_get(Head *h, PyObject *name) {
    PyObject *key;
    Py_ssize_t index = find_line(h, name, &key);
    Py_XDECREF(key);
    if (index == -2)
        return NULL;
    return index < 0 ? Py_NewRef(Py_None) : value_of(&h->lines[index]);
}

static PyObject *Head_first(Head *h, PyObject *name) {
    PyObject *key, *owner, *text;
    Slice s, member = {"", 0};
    Py_ssize_t index = find_line(h, name, &key);
    Py_XDECREF(key);
    if (index < 0)
        return index == -2 ? NULL : raise_missing(name);
    Line *line = &h->lines[index];
    if (plain_value(line, &s, &owner) < 0)
        return NULL;
    if (is_list(line->name) && memchr(s.at, ',', s.len) != NULL) {
        if (!next_member(&s, &member))
            member.len = 0;
        s = member;
    }
    text = text_of(s);
    Py_XDECREF(owner);
    return text;
}

static int append_text(PyObject *list, Slice s) {
    PyObject *text = text_of(s);
    int failed = text == NULL || PyList_Append(list, text) < 0;
    Py_XDECREF(text);
    return failed ? -1 : 0;
}

/* Append the values of one line. */
static int append_values(PyObject *values, const Line *line, int splits) {
    Slice s, member;
    PyObject *owner;
    if (plain_value(line, &s, &owner) < 0)
        return -1;
    int failed = 0;
    if (!splits) {
        failed = append_text(values, s);
    } else {
        while (!failed && next_member(&s, &member))
            failed = append_text(values, member);
    }
    Py_XDECREF(owner);
    return failed;
}

static PyObject *Head_all(Head *h, PyObject *name) {
    PyObject *key, *values = NULL;
    Py_ssize_t index = find_line(h, name, &key);
    if (index != -2)
        values = PyList_New(0);
    while (values != NULL && index >= 0) {
        if (append_values(values, &h->lines[index], is_list(key)) < 0)
            Py_CLEAR(values);
        else
            index = find_canonical(h, key, index + 1);
    }
    Py_XDECREF(key);
    return values;
}

static PyObject *Head_view(Head *h, PyObject *const *args, Py_ssize_t count) {
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "view takes a name and a parser");
        return NULL;
    }
    if (h->views == NULL && (h->views = PyDict_New()) == NULL)
        return NULL;
    PyObject *known_view = PyDict_GetItemWithError(h->views, args[0]);
    if (known_view != NULL || PyErr_Occurred())
        return Py_XNewRef(known_view);
    PyObject *key;
    Py_ssize_t index = find_line(h, args[0], &key);
    Py_XDECREF(key);
    if (index < 0)
        return index == -2 ? NULL : raise_missing(args[0]);
    PyObject *text = value_of(&h->lines[index]);
    if (text == NULL)
        return NULL;
    PyObject *view = PyObject_CallOneArg(args[1], text);
    Py_DECREF(text);
    if (view != NULL && PyDict_SetItem(h->views, args[0], view) < 0)
        Py_CLEAR(view);
    return view;
}

static PyObject *Head_lines(Head *h, void *unused) {
    PyObject *lines = PyList_New(0);
    for (Py_ssize_t i = 0; lines != NULL && i < h->count; i++)
        if (append_text(lines, h->lines[i].text) < 0)
            Py_CLEAR(lines);
    return lines;
}

static PyObject *Head_shape(Head *h, void *unused) {
    PyObject *shape = PyTuple_New(h->count);
    for (Py_ssize_t i = 0; shape != NULL && i < h->count; i++)
        PyTuple_SET_ITEM(shape, i, Py_NewRef(h->lines[i].name));
    return shape;
}

/* --- Editing --- */

static int two_texts(PyObject *const *args, Py_ssize_t count) {
    if (count == 2 && PyUnicode_Check(args[0]) && PyUnicode_Check(args[1]))
        return 1;
    PyErr_SetString(PyExc_TypeError, "a name and a value expected, both text");
    return 0;
}

static PyObject *done(int failed) { return failed ? NULL : Py_NewRef(Py_None); }

static PyObject *Head_prepend(Head *h, PyObject *const *args, Py_ssize_t count) {
    PyObject *key;
    if (!two_texts(args, count))
        return NULL;
    Py_ssize_t index = find_line(h, args[0], &key);
    int failed = index == -2 || insert_line(h, index < 0 ? 0 : index, key, args[0], args[1]) < 0;
    Py_XDECREF(key);
    return done(failed);
}

static PyObject *Head_append(Head *h, PyObject *const *args, Py_ssize_t count) {
    if (!two_texts(args, count))
        return NULL;
    PyObject *key = canonical_of(args[0]);
    int failed = key == NULL || insert_line(h, h->count, key, args[0], args[1]) < 0;
    Py_XDECREF(key);
    return done(failed);
}

static int remove_all(Head *h, PyObject *key, Py_ssize_t index) {
    while ((index = find_canonical(h, key, index)) >= 0)
        delete_line(h, index);
    return index == -2 ? -1 : 0;
}

static int set_value(Head *h, PyObject *name, PyObject *value) {
    PyObject *key;
    Py_ssize_t index = find_line(h, name, &key);
    int failed = index == -2;
    if (!failed) {
        Py_ssize_t place = index < 0 ? h->count : index;
        failed = insert_line(h, place, key, name, value) < 0 || remove_all(h, key, place + 1) < 0;
    }
    Py_XDECREF(key);
    return failed ? -1 : 0;
}

static PyObject *Head_set(Head *h, PyObject *const *args, Py_ssize_t count) {
    return two_texts(args, count) ? done(set_value(h, args[0], args[1])) : NULL;
}

static PyObject *Head_remove(Head *h, PyObject *name) {
    PyObject *key;
    Py_ssize_t index = find_line(h, name, &key);
    int failed = index == -2 || (index >= 0 && remove_all(h, key, index) < 0);
    Py_XDECREF(key);
    return done(failed);
}

/* Put `value`, if any, in the place of the first value of `name`; return what was there. */
static PyObject *splice_first(Head *h, PyObject *name, PyObject *value) {
    PyObject *key, *owner, *first = NULL, *written, *others_text;
    Slice s, others = {"", 0};
    Py_ssize_t index = find_line(h, name, &key);
    Py_XDECREF(key);
    if (index < 0)
        return index == -2 ? NULL : raise_missing(name);
    if (plain_value(&h->lines[index], &s, &owner) < 0)
        return NULL;
    if (is_list(h->lines[index].name)) {
        others = s;
        if (!next_member(&others, &s))
            s.len = 0;
        others = strip(others);
        while (others.len > 0 && (others.at[0] == ',' || is_blank(others.at[0])))
            others.at++, others.len--;
    }
    first = text_of(s);
    others_text = text_of(others);
    Py_XDECREF(owner);
    written = others_text == NULL ? NULL
              : value == NULL || PyUnicode_GET_LENGTH(value) == 0 ? Py_NewRef(others_text)
              : others.len == 0 ? Py_NewRef(value)
                                : PyUnicode_FromFormat("%U, %U", value, others_text);
    Py_XDECREF(others_text);
    owner = NULL;
    if (first != NULL && (written == NULL || bytes_of(written, &s, &owner) < 0 || rewrite_line(h, index, name, s) < 0))
        Py_CLEAR(first);
    Py_XDECREF(owner);
    Py_XDECREF(written);
    return first;
}

static PyObject *Head_pop_first(Head *h, PyObject *name) { return splice_first(h, name, NULL); }

static PyObject *Head_replace_first(Head *h, PyObject *const *args, Py_ssize_t count) {
    if (!two_texts(args, count))
        return NULL;
    PyObject *old = splice_first(h, args[0], args[1]);
    Py_XDECREF(old);
    return done(old == NULL);
}

/* Take up to `count` values off the line at `index`; return how many, or -1. */
static Py_ssize_t drop_from(Head *h, Py_ssize_t index, PyObject *name, Py_ssize_t count) {
    PyObject *values = PyList_New(0), *comma, *kept = NULL, *left = NULL, *owner;
    Slice s;
    Py_ssize_t there = -1;
    if (values != NULL && append_values(values, &h->lines[index], 1) == 0) {
        there = PyList_GET_SIZE(values);
        comma = PyUnicode_FromString(", ");
        kept = PyList_GetSlice(values, count, PY_SSIZE_T_MAX);
        left = comma == NULL || kept == NULL ? NULL : PyUnicode_Join(comma, kept);
        Py_XDECREF(comma);
        if (left == NULL || bytes_of(left, &s, &owner) < 0) {
            there = -1;
        } else {
            if (rewrite_line(h, index, name, s) < 0)
                there = -1;
            Py_DECREF(owner);
        }
    }
    Py_XDECREF(left);
    Py_XDECREF(kept);
    Py_XDECREF(values);
    return there;
}

static PyObject *Head_drop_first(Head *h, PyObject *args) {
    PyObject *name, *key;
    Py_ssize_t count;
    if (!PyArg_ParseTuple(args, "Un", &name, &count))
        return NULL;
    while (count > 0) {
        Py_ssize_t index = find_line(h, name, &key);
        Py_XDECREF(key);
        if (index < 0)
            return index == -2 ? NULL : raise_missing(name);
        Py_ssize_t dropped = drop_from(h, index, name, count);
        if (dropped < 0)
            return NULL;
        count -= dropped;
    }
    Py_RETURN_NONE;
}

static PyObject *Head_get_body(Head *h, void *unused) { return Py_NewRef(h->body); }

static int Head_set_body(Head *h, PyObject *body, void *unused) {
    if (body == NULL || !PyBytes_Check(body)) {
        PyErr_SetString(PyExc_TypeError, "a body is bytes");
        return -1;
    }
    Py_XSETREF(h->body, Py_NewRef(body));
    PyObject *length = PyUnicode_FromFormat("%zd", PyBytes_GET_SIZE(body));
    int failed = length == NULL || set_value(h, content_length, length) < 0;
    Py_XDECREF(length);
    return failed ? -1 : 0;
}

static PyObject *Head_cut_body(Head *h, PyObject *length) {
    Py_ssize_t len = PyLong_AsSsize_t(length);
    if (len == -1 && PyErr_Occurred())
        return NULL;
    if (len >= 0 && len < PyBytes_GET_SIZE(h->body)) {
        PyObject *body = PyBytes_FromStringAndSize(PyBytes_AS_STRING(h->body), len);
        if (body == NULL)
            return NULL;
        Py_XSETREF(h->body, body);
    }
    Py_RETURN_NONE;
}

static PyMethodDef Head_methods[] = {
    {"scan", (PyCFunction)Head_scan, METH_O, NULL},
    {"write", (PyCFunction)Head_write, METH_O, NULL},
    {"twin", (PyCFunction)Head_twin, METH_NOARGS, NULL},
    {"adopt", (PyCFunction)(void (*)(void))Head_adopt, METH_FASTCALL, NULL},
    {"get", (PyCFunction)Head_get, METH_O, NULL},
    {"first", (PyCFunction)Head_first, METH_O, NULL},
    {"all", (PyCFunction)Head_all, METH_O, NULL},
    {"view", (PyCFunction)(void (*)(void))Head_view, METH_FASTCALL, NULL},
    {"prepend", (PyCFunction)(void (*)(void))Head_prepend, METH_FASTCALL, NULL},
    {"append", (PyCFunction)(void (*)(void))Head_append, METH_FASTCALL, NULL},
    {"set", (PyCFunction)(void (*)(void))Head_set, METH_FASTCALL, NULL},
    {"remove", (PyCFunction)Head_remove, METH_O, NULL},
    {"pop_first", (PyCFunction)Head_pop_first, METH_O, NULL},
    {"replace_first", (PyCFunction)(void (*)(void))Head_replace_first, METH_FASTCALL, NULL},
    {"drop_first", (PyCFunction)Head_drop_first, METH_VARARGS, NULL},
    {"cut_body", (PyCFunction)Head_cut_body, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef Head_attributes[] = {
    {"lines", (getter)Head_lines, NULL, NULL, NULL},
    {"shape", (getter)Head_shape, NULL, NULL, NULL},
    {"body", (getter)Head_get_body, (setter)Head_set_body, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PySequenceMethods Head_as_sequence = {.sq_contains = (objobjproc)Head_contains};

static PyTypeObject HeadType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "ngcp_speed.Head",
    .tp_basicsize = sizeof(Head),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_doc = "The header lines of one message, and its body (src/ngcp/sip/syntax/head.py).",
    .tp_new = Head_new,
    .tp_init = (initproc)Head_init,
    .tp_dealloc = (destructor)Head_dealloc,
    .tp_methods = Head_methods,
    .tp_getset = Head_attributes,
    .tp_as_sequence = &Head_as_sequence,
};

/* --- Field values in their usual form ---
 *
 * Each reader returns what src/ngcp/sip/syntax/{uri,fields}.py make of a text, or None for a text that is not
 * written in the plainest way (blanks, escapes, quotes, foreign letters, or wrong): that one is read there.
 */

static int is_plain(unsigned char c) { return c > ' ' && c < 0x7f && c != '"' && c != '<' && c != '>' && c != '%' && c != ','; }

static int is_host(unsigned char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '.' || c == '-' || c == '_';
}

static int is_v6(unsigned char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f') || c == ':' || c == '.';
}

/* What the readers have in common: a text that is walked once, from left to right. */
typedef struct {
    const char *at, *end;
} Cursor;

static int begin(PyObject *text, Cursor *c) {
    if (!PyUnicode_Check(text) || !PyUnicode_IS_COMPACT_ASCII(text))
        return 0;
    c->at = (const char *)PyUnicode_1BYTE_DATA(text);
    c->end = c->at + PyUnicode_GET_LENGTH(text);
    return 1;
}

static int take(Cursor *c, char wanted) {
    if (c->at == c->end || *c->at != wanted)
        return 0;
    c->at++;
    return 1;
}

static int take_word(Cursor *c, const char *word) {
    const char *at = c->at;
    for (; *word; word++, at++)
        if (at == c->end || lower((unsigned char)*at) != (unsigned char)*word)
            return 0;
    c->at = at;
    return 1;
}

static Slice take_while(Cursor *c, int (*fits)(unsigned char)) {
    Slice s = {c->at, 0};
    while (c->at < c->end && fits((unsigned char)*c->at))
        c->at++;
    s.len = c->at - s.at;
    return s;
}

static int is_letter(unsigned char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
static int is_digit(unsigned char c) { return c >= '0' && c <= '9'; }

static PyObject *lower_text(Slice s) {
    PyObject *text = PyUnicode_New(s.len, 127);
    if (text != NULL)
        for (Py_ssize_t i = 0; i < s.len; i++)
            PyUnicode_1BYTE_DATA(text)[i] = lower((unsigned char)s.at[i]);
    return text;
}

/* Digits as a number below `limit`, or -1. */
static long number_of(Slice s, long limit) {
    long number = 0;
    for (Py_ssize_t i = 0; i < s.len; i++)
        if ((number = 10 * number + (s.at[i] - '0')) >= limit)
            return -1;
    return s.len ? number : -1;
}

/* `host` or `[v6]`, and `:port`; 0 if not plain. `*port` is a new reference. */
static int take_address(Cursor *c, Slice *host, PyObject **port) {
    *host = (Slice){c->at, 0};
    if (c->at < c->end && *c->at == '[') {
        while (c->at < c->end && *c->at != ']')
            if (c->at++ != host->at && !is_v6((unsigned char)c->at[-1]))
                return 0;
        if (!take(c, ']') || c->at - host->at < 3)
            return 0;
    } else {
        take_while(c, is_host);
        if (c->at == host->at || *host->at == '.' || *host->at == '-' || c->at[-1] == '-')
            return 0;
    }
    host->len = c->at - host->at;
    *port = NULL;
    if (!take(c, ':'))
        *port = Py_NewRef(Py_None);
    else {
        Slice digits = take_while(c, is_digit);
        long number = digits.len > 5 ? -1 : number_of(digits, 65536);
        if (number > 0)
            *port = PyLong_FromLong(number);
    }
    return *port != NULL;
}

static int add_param(PyObject *params, Slice name, const Slice *value) {
    PyObject *n = lower_text(name), *v = value == NULL ? Py_NewRef(Py_None) : text_of(*value);
    int failed = n == NULL || v == NULL || PyDict_SetDefault(params, n, v) == NULL;
    Py_XDECREF(n);
    Py_XDECREF(v);
    return failed ? -1 : 0;
}

/* `;name=value;flag` to the end of the text as a new dict; None if not plain, NULL is an error. */
static PyObject *take_params(Cursor *c, const char *forbidden) {
    PyObject *params = PyDict_New();
    while (params != NULL && c->at < c->end) {
        Slice name, value = {NULL, 0};
        int is_usual = take(c, ';');
        name.at = c->at;
        while (c->at < c->end && is_plain((unsigned char)*c->at) && *c->at != ';' && !strchr(forbidden, *c->at)) {
            if (*c->at == '=' && value.at == NULL)
                value.at = c->at + 1;
            c->at++;
        }
        name.len = (value.at == NULL ? c->at : value.at - 1) - name.at;
        value.len = value.at == NULL ? 0 : c->at - value.at;
        if (!is_usual || name.len == 0 || (c->at < c->end && *c->at != ';')) {
            Py_DECREF(params);
            return Py_NewRef(Py_None);
        }
        if (add_param(params, name, value.at == NULL ? NULL : &value) < 0)
            Py_CLEAR(params);
    }
    return params;
}

static PyObject *read_uri(PyObject *module, PyObject *text) {
    Cursor c;
    Slice user = {NULL, 0}, host;
    PyObject *port, *params;
    if (!begin(text, &c))
        Py_RETURN_NONE;
    const char *scheme = take_word(&c, "sip:") ? "sip" : take_word(&c, "sips:") ? "sips" : NULL;
    const char *at = memchr(c.at, '@', c.end - c.at);
    if (scheme == NULL)
        Py_RETURN_NONE;
    if (at != NULL) {
        user = take_while(&c, is_plain);
        c.at = user.at;
        if (at == c.at || user.at + user.len < at || memchr(at + 1, '@', c.end - at - 1) != NULL)
            Py_RETURN_NONE;
        user.len = at - user.at;
        c.at = at + 1;
    }
    if (!take_address(&c, &host, &port))
        Py_RETURN_NONE;
    params = take_params(&c, "?");
    if (params == NULL || params == Py_None) {
        Py_DECREF(port);
        return params;
    }
    PyObject *name = user.at == NULL ? Py_NewRef(Py_None) : text_of(user);
    return Py_BuildValue("(sNNNN)", scheme, name, lower_text(host), port, params);
}

static PyObject *read_via(PyObject *module, PyObject *text) {
    Cursor c;
    Slice host, transport;
    PyObject *port, *params;
    if (!begin(text, &c) || !take_word(&c, "sip/2.0/"))
        Py_RETURN_NONE;
    transport = take_while(&c, is_letter);
    if (transport.len == 0 || !take(&c, ' ') || !take_address(&c, &host, &port))
        Py_RETURN_NONE;
    params = take_params(&c, "");
    if (params == NULL || params == Py_None) {
        Py_DECREF(port);
        return params;
    }
    return Py_BuildValue("(NNNN)", lower_text(transport), lower_text(host), port, params);
}

static int is_display(unsigned char c) { return c == ' ' || (is_plain(c) && strchr(";:@\\", c) == NULL); }

/* The display name before "<"; 0 if not plain. */
static int take_display(Cursor *c, Slice *display) {
    if (take(c, '"')) {
        *display = (Slice){c->at, 0};
        while (c->at < c->end && *c->at != '"' && *c->at != '\\' && *c->at >= ' ' && *c->at < 0x7f)
            c->at++;
        display->len = c->at - display->at;
        if (!take(c, '"'))
            return 0;
        take(c, ' ');
        return 1;
    }
    *display = strip(take_while(c, is_display));
    return 1;
}

static PyObject *read_name_addr(PyObject *module, PyObject *text) {
    Cursor c;
    Slice display = {"", 0}, address;
    if (!begin(text, &c))
        Py_RETURN_NONE;
    if (memchr(c.at, '<', c.end - c.at) != NULL) {
        if (!take_display(&c, &display) || !take(&c, '<'))
            Py_RETURN_NONE;
        address.at = c.at;
        while (c.at < c.end && *c.at != '>' && *c.at != '<' && *c.at > ' ' && *c.at < 0x7f)
            c.at++;
        address.len = c.at - address.at;
        if (!take(&c, '>'))
            Py_RETURN_NONE;
    } else {
        address.at = c.at;
        while (c.at < c.end && is_plain((unsigned char)*c.at) && *c.at != ';' && *c.at != '?')
            c.at++;
        address.len = c.at - address.at;
        if (address.len == 0)
            Py_RETURN_NONE;
    }
    PyObject *params = take_params(&c, "");
    if (params == NULL || params == Py_None)
        return params;
    return Py_BuildValue("(NNN)", text_of(display), text_of(address), params);
}

static PyObject *read_cseq(PyObject *module, PyObject *text) {
    Cursor c;
    if (!begin(text, &c))
        Py_RETURN_NONE;
    Slice digits = take_while(&c, is_digit);
    long number = digits.len > 10 ? -1 : number_of(digits, 4294967296L);
    if (number < 0 || !take(&c, ' '))
        Py_RETURN_NONE;
    Slice method = take_while(&c, is_token);
    if (method.len == 0 || c.at != c.end)
        Py_RETURN_NONE;
    return Py_BuildValue("(lN)", number, text_of(method));
}

/* --- Datagrams, many to a system call ---
 *
 * As src/ngcp/net/udp.py receives and sends them one by one. Nothing here waits, so the GIL stays held.
 */

#define BATCH 64           /* datagrams */
#define MAX_DATAGRAM 65535 /* as in udp.py */
#define PEERS 256          /* addresses remembered; a power of two */

static char buffers[BATCH][MAX_DATAGRAM]; /* memory as far as datagrams have ever reached into it */

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} SocketAddress;

/* One system call's worth. */
typedef struct {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    SocketAddress remotes[BATCH];
} Batch;

static void set_message(Batch *b, int i, char *at, size_t len, socklen_t address_len) {
    b->parts[i] = (struct iovec){at, len};
    b->messages[i] = (struct mmsghdr){
        .msg_hdr = {.msg_name = &b->remotes[i], .msg_namelen = address_len, .msg_iov = &b->parts[i], .msg_iovlen = 1}};
}

/* What tells one peer from another: no flow label, no scope. */
typedef struct {
    uint64_t host[2];
    uint32_t port, family;
} Peer;

static struct {
    Peer peer;
    PyObject *address;
} peers[PEERS]; /* a peer has one place, and the one that had it before is forgotten */

static int peer_of(const SocketAddress *remote, socklen_t len, Peer *peer) {
    *peer = (Peer){{0, 0}, 0, remote->any.sa_family};
    if (len >= sizeof remote->v4 && peer->family == AF_INET) {
        memcpy(peer->host, &remote->v4.sin_addr, sizeof remote->v4.sin_addr);
        peer->port = ntohs(remote->v4.sin_port);
    } else if (len >= sizeof remote->v6 && peer->family == AF_INET6) {
        memcpy(peer->host, &remote->v6.sin6_addr, sizeof remote->v6.sin6_addr);
        peer->port = ntohs(remote->v6.sin6_port);
    } else {
        PyErr_SetString(PyExc_ValueError, "a peer without an IP address");
        return -1;
    }
    return 0;
}

/* New reference to (host, port). */
static PyObject *address_of(const SocketAddress *remote, socklen_t len) {
    Peer peer;
    char host[INET6_ADDRSTRLEN];
    if (peer_of(remote, len, &peer) < 0)
        return NULL;
    uint64_t mixed = (peer.host[0] ^ 3 * peer.host[1] ^ (uint64_t)peer.port << 32) * 0x9e3779b97f4a7c15u;
    unsigned place = (mixed >> 32) % PEERS;
    if (peers[place].address != NULL && memcmp(&peers[place].peer, &peer, sizeof peer) == 0)
        return Py_NewRef(peers[place].address);
    if (inet_ntop((int)peer.family, peer.host, host, sizeof host) == NULL)
        return PyErr_SetFromErrno(PyExc_OSError);
    PyObject *address = Py_BuildValue("(sI)", host, (unsigned)peer.port);
    if (address != NULL) {
        peers[place].peer = peer;
        Py_XSETREF(peers[place].address, Py_NewRef(address));
    }
    return address;
}

/* The descriptor of a socket; -1 for one that is closed, as the kernel will say, and for an error. */
static int descriptor_of(PyObject *udp) {
    PyObject *number = PyObject_CallMethod(udp, "fileno", NULL);
    long fd = number == NULL ? -1 : PyLong_AsLong(number);
    Py_XDECREF(number);
    return fd < 0 || fd > INT_MAX ? -1 : (int)fd;
}

/* Copies first: making lists and tuples may run foreign code, which may receive into the same buffers. */
static PyObject *list_of(const Batch *b, int count) {
    PyObject *payloads[BATCH], *list = NULL;
    int copied = 0;
    while (copied < count && (payloads[copied] = PyBytes_FromStringAndSize(buffers[copied], b->messages[copied].msg_len)))
        copied++;
    if (copied == count)
        list = PyList_New(count);
    for (int i = 0; i < copied; i++) {
        PyObject *remote = list == NULL ? NULL : address_of(&b->remotes[i], b->messages[i].msg_hdr.msg_namelen);
        PyObject *pair = remote == NULL ? NULL : PyTuple_Pack(2, payloads[i], remote);
        Py_XDECREF(remote);
        Py_DECREF(payloads[i]);
        if (pair == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, pair);
    }
    return list;
}

static PyObject *receive_datagrams(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    Batch b;
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "receive_datagrams takes a socket and a number");
        return NULL;
    }
    long wanted = PyLong_AsLong(args[1]);
    int fd = wanted == -1 && PyErr_Occurred() ? -1 : descriptor_of(args[0]);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    if (wanted < 1 || wanted > BATCH)
        return PyErr_Format(PyExc_ValueError, "%ld datagrams are not between 1 and %d", wanted, BATCH);
    for (int i = 0; i < wanted; i++)
        set_message(&b, i, buffers[i], MAX_DATAGRAM, sizeof b.remotes[i]);
    int received = recvmmsg(fd, b.messages, (unsigned)wanted, MSG_DONTWAIT, NULL);
    if (received < 0 && errno != EAGAIN)
        return PyErr_SetFromErrno(PyExc_OSError);
    return list_of(&b, received < 0 ? 0 : received);
}

/* The length of an address that is now in `*remote`; 0 for what is no IP address and port, -1 is an error. */
static int read_address(PyObject *address, SocketAddress *remote) {
    int has_overflown;
    if (!PyTuple_Check(address) || PyTuple_GET_SIZE(address) != 2 || !PyUnicode_Check(PyTuple_GET_ITEM(address, 0)) ||
        !PyLong_Check(PyTuple_GET_ITEM(address, 1))) {
        PyErr_SetString(PyExc_TypeError, "an address is host and port");
        return -1;
    }
    PyObject *host = PyTuple_GET_ITEM(address, 0);
    long port = PyLong_AsLongAndOverflow(PyTuple_GET_ITEM(address, 1), &has_overflown);
    if (!PyUnicode_IS_COMPACT_ASCII(host) || has_overflown || port < 0 || port > 65535)
        return 0;
    const char *text = (const char *)PyUnicode_1BYTE_DATA(host); /* ends in NUL */
    if ((Py_ssize_t)strlen(text) != PyUnicode_GET_LENGTH(host))
        return 0;
    *remote = (SocketAddress){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};
    if (strchr(text, ':') != NULL)
        return inet_pton(AF_INET6, text, &remote->v6.sin6_addr) == 1 ? (int)sizeof remote->v6 : 0;
    remote->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return inet_pton(AF_INET, text, &remote->v4.sin_addr) == 1 ? (int)sizeof remote->v4 : 0;
}

/* Let the batch hold datagrams from `start` to the first that has no address; how many, or -1. */
static int load(Batch *b, PyObject *datagrams, Py_ssize_t start) {
    int count = 0;
    while (count < BATCH && start + count < PyList_GET_SIZE(datagrams)) {
        PyObject *pair = PyList_GET_ITEM(datagrams, start + count);
        if (!PyTuple_Check(pair) || PyTuple_GET_SIZE(pair) != 2 || !PyBytes_Check(PyTuple_GET_ITEM(pair, 0))) {
            PyErr_SetString(PyExc_TypeError, "a datagram is bytes and an address");
            return -1;
        }
        PyObject *data = PyTuple_GET_ITEM(pair, 0);
        int len = read_address(PyTuple_GET_ITEM(pair, 1), &b->remotes[count]);
        if (len <= 0)
            return len < 0 ? -1 : count;
        set_message(b, count++, PyBytes_AS_STRING(data), (size_t)PyBytes_GET_SIZE(data), (socklen_t)len);
    }
    return count;
}

static PyObject *send_datagrams(PyObject *module, PyObject *const *args, Py_ssize_t count) {
    Batch b;
    if (count != 2 || !PyList_Check(args[1])) {
        PyErr_SetString(PyExc_TypeError, "send_datagrams takes a socket and a list");
        return NULL;
    }
    int fd = descriptor_of(args[0]), loaded, sent;
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    Py_ssize_t gone = 0;
    do {
        if ((loaded = load(&b, args[1], gone)) < 0)
            return NULL;
        sent = loaded == 0 ? 0 : sendmmsg(fd, b.messages, (unsigned)loaded, MSG_DONTWAIT);
        gone += sent > 0 ? sent : 0;
    } while (sent > 0 && sent == loaded);
    return PyLong_FromSsize_t(gone);
}

static PyMethodDef functions[] = {
    {"read_uri", read_uri, METH_O, NULL},
    {"read_via", read_via, METH_O, NULL},
    {"read_name_addr", read_name_addr, METH_O, NULL},
    {"read_cseq", read_cseq, METH_O, NULL},
    {"receive_datagrams", (PyCFunction)(void (*)(void))receive_datagrams, METH_FASTCALL, NULL},
    {"send_datagrams", (PyCFunction)(void (*)(void))send_datagrams, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

/* --- The module --- */

static int know(PyObject *spelling, PyObject *canonical, PyObject *lists) {
    Slice s;
    if (!PyUnicode_Check(spelling) || !PyUnicode_Check(canonical) || slice_of(spelling, &s) < 0)
        return -1;
    Known *k = find_known(s);
    if (k == NULL) {
        PyErr_SetString(PyExc_ValueError, "a name is too long for the table");
        return -1;
    }
    int list = PySequence_Contains(lists, canonical);
    if (list < 0 || k->canonical != NULL)
        return list < 0 ? -1 : 0;
    PyObject *one = Py_NewRef(canonical);
    PyUnicode_InternInPlace(&one);
    for (Py_ssize_t i = 0; i < s.len; i++)
        k->spelling[i] = (char)lower((unsigned char)s.at[i]);
    k->len = s.len;
    k->is_list = list;
    k->canonical = one;
    return 0;
}

static int learn_names(void) {
    PyObject *names = PyImport_ImportModule("ngcp.sip.syntax.names"), *spellings = NULL, *lists = NULL;
    int failed = names == NULL || (spellings = PyObject_GetAttrString(names, "KNOWN")) == NULL ||
                 (lists = PyObject_GetAttrString(names, "LISTS")) == NULL || !PyDict_Check(spellings);
    PyObject *spelling, *canonical;
    Py_ssize_t position = 0;
    while (!failed && PyDict_Next(spellings, &position, &spelling, &canonical))
        failed = know(spelling, canonical, lists) < 0;
    Py_XDECREF(names);
    Py_XDECREF(spellings);
    Py_XDECREF(lists);
    return failed ? -1 : 0;
}

static PyObject *error_called(PyObject *errors, const char *name) { return PyObject_GetAttrString(errors, name); }

static int learn_errors(void) {
    PyObject *errors = PyImport_ImportModule("ngcp.sip.errors");
    if (errors == NULL)
        return -1;
    malformed = error_called(errors, "MalformedMessage");
    too_large = error_called(errors, "MessageTooLarge");
    missing = error_called(errors, "MissingHeader");
    Py_DECREF(errors);
    return malformed == NULL || too_large == NULL || missing == NULL ? -1 : 0;
}

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "ngcp_speed",
    .m_doc = "The hot paths of ngcp in C; each is specified by a module in Python, which serves where this one is absent.",
    .m_size = -1,
    .m_methods = functions,
};

PyMODINIT_FUNC PyInit_ngcp_speed(void) {
    PyObject *m = NULL;
    content_length = PyUnicode_InternFromString("Content-Length");
    if (content_length == NULL || learn_names() < 0 || learn_errors() < 0 || PyType_Ready(&HeadType) < 0)
        return NULL;
    m = PyModule_Create(&module);
    if (m != NULL && (PyModule_AddObjectRef(m, "Head", (PyObject *)&HeadType) < 0 || PyModule_AddIntMacro(m, BATCH) < 0))
        Py_CLEAR(m);
    return m;
}
