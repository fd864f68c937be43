/* Datapath: datagrams from socket to socket in a thread of its own, which never waits for Python.
 *
 * The same as src/ngcp/rtpengine/datapath.py, which is its specification: every test of the one runs on the other.
 * A port is named by its descriptor. Its record lives as long as the Datapath and has a lock: the thread holds it to
 * receive, and that of the exit's record to send, never both; so a descriptor that Python has released is not touched
 * any more. What the thread may not forward itself waits in a queue, and a readable descriptor tells Python of it.
 */
#define _GNU_SOURCE
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define READY 256         /* sockets served for one system call */
#define MAX_PACKET 8192   /* as in datapath.py */
#define QUEUE 4096        /* packets that wait for Python; more are lost */
#define TAKE 256          /* of them in one turn of the event loop */
#define MAX_PORTS 1048576 /* descriptors, wherever the system's limit is higher */

typedef union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} SocketAddress;

typedef struct Port {
    pthread_mutex_t lock;
    int fd; /* -1: released */
    int is_added, has_expected;
    SocketAddress expected, to;
    socklen_t to_len; /* 0: nowhere */
    struct Port *exit;
    unsigned generation; /* what waited for an earlier flow is nobody's */
    unsigned long long packets, bytes, errors;
    double last_packet; /* of CLOCK_MONOTONIC; 0: never */
} Port;

typedef struct {
    Port *port;
    unsigned generation;
    SocketAddress source;
    Py_ssize_t len;
    char *data;
} Waiting;

typedef struct {
    PyObject_HEAD
    Port **ports; /* by descriptor; a record is never freed before its Datapath */
    Py_ssize_t room;
    int epoll, stop, news;
    pthread_t thread;
    pid_t process; /* where the thread is; a fork has none */
    int is_running;
    pthread_mutex_t lock; /* of the queue */
    Waiting queue[QUEUE];
    unsigned head, count;
} Datapath;

/* --- Addresses --- */

static int is_same(const SocketAddress *one, const SocketAddress *other) {
    if (one->any.sa_family != other->any.sa_family)
        return 0;
    if (one->any.sa_family == AF_INET)
        return one->v4.sin_port == other->v4.sin_port && one->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr;
    return one->v6.sin6_port == other->v6.sin6_port &&
           memcmp(&one->v6.sin6_addr, &other->v6.sin6_addr, sizeof one->v6.sin6_addr) == 0;
}

/* The length of the address that is now in `*address`; 0 for None, -1 is an error. */
static int read_address(PyObject *value, SocketAddress *address) {
    const char *host;
    int port;
    if (value == Py_None)
        return 0;
    if (!PyTuple_Check(value)) {
        PyErr_SetString(PyExc_TypeError, "an address is host and port");
        return -1;
    }
    if (!PyArg_ParseTuple(value, "si;an address is host and port", &host, &port))
        return -1;
    if (port < 0 || port > 65535)
        goto wrong;
    *address = (SocketAddress){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};
    if (strchr(host, ':') != NULL && inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1)
        return (int)sizeof address->v6;
    address->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1)
        return (int)sizeof address->v4;
wrong:
    PyErr_Format(PyExc_ValueError, "%R is no IP address and port", value);
    return -1;
}

static PyObject *write_address(const SocketAddress *address) {
    char host[INET6_ADDRSTRLEN];
    int is_v6 = address->any.sa_family == AF_INET6;
    const void *raw = is_v6 ? (const void *)&address->v6.sin6_addr : (const void *)&address->v4.sin_addr;
    if (inet_ntop(address->any.sa_family, raw, host, sizeof host) == NULL)
        return PyErr_SetFromErrno(PyExc_OSError);
    return Py_BuildValue("(sI)", host, (unsigned)ntohs(is_v6 ? address->v6.sin6_port : address->v4.sin_port));
}

/* --- The thread --- */

static void count_error(Port *port) {
    pthread_mutex_lock(&port->lock);
    port->errors++;
    pthread_mutex_unlock(&port->lock);
}

/* Let a packet wait for Python. */
static void show(Datapath *d, Port *port, unsigned generation, const SocketAddress *source, const char *packet,
                 ssize_t len) {
    char *data = malloc(len ? (size_t)len : 1);
    int is_first = 0, is_lost = data == NULL;
    if (data != NULL) {
        memcpy(data, packet, (size_t)len);
        pthread_mutex_lock(&d->lock);
        if (d->count < QUEUE) {
            is_first = d->count == 0;
            d->queue[(d->head + d->count++) % QUEUE] = (Waiting){port, generation, *source, len, data};
        } else
            is_lost = 1;
        pthread_mutex_unlock(&d->lock);
    }
    if (is_lost) {
        free(data);
        count_error(port);
    }
    if (is_first)
        eventfd_write(d->news, 1);
}

/* Send from a port; whether it went. */
static int leave(Port *exit, const char *packet, ssize_t len, const SocketAddress *to, socklen_t to_len) {
    pthread_mutex_lock(&exit->lock);
    int has_gone = exit->fd >= 0 && sendto(exit->fd, packet, (size_t)len, MSG_DONTWAIT, &to->any, to_len) >= 0;
    pthread_mutex_unlock(&exit->lock);
    return has_gone;
}

/* Forward one datagram. */
static void forward(Datapath *d, Port *port, double now) {
    char packet[MAX_PACKET];
    SocketAddress source, to;
    socklen_t source_len = sizeof source, to_len;
    pthread_mutex_lock(&port->lock);
    if (!port->is_added) { /* meanwhile */
        pthread_mutex_unlock(&port->lock);
        return;
    }
    ssize_t len = recvfrom(port->fd, packet, sizeof packet, MSG_DONTWAIT, &source.any, &source_len);
    int is_ours = len >= 0 && port->has_expected && is_same(&source, &port->expected);
    if (is_ours) {
        port->packets++;
        port->bytes += (unsigned long long)len;
        port->last_packet = now;
    }
    unsigned generation = port->generation;
    Port *exit = port->exit;
    to = port->to;
    to_len = port->to_len;
    pthread_mutex_unlock(&port->lock);
    if (len < 0) /* somebody else's datagram with a bad checksum, an ICMP error of an earlier send */
        return;
    if (!is_ours)
        show(d, port, generation, &source, packet, len);
    else if (to_len && !leave(exit, packet, len, &to, to_len))
        count_error(port);
}

static double clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *work(void *argument) {
    Datapath *d = argument;
    struct epoll_event ready[READY];
    for (;;) {
        int count = epoll_wait(d->epoll, ready, READY, -1);
        double now = clock_now();
        for (int i = 0; i < count; i++) {
            if (ready[i].data.ptr == NULL)
                return NULL;
            forward(d, ready[i].data.ptr, now);
        }
    }
}

/* --- What Python says --- */

static Port *port_of(Datapath *d, PyObject *number) {
    long fd = PyLong_AsLong(number);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    Port *port = fd >= 0 && fd < d->room ? d->ports[fd] : NULL;
    if (port == NULL || port->fd < 0) {
        PyErr_Format(PyExc_KeyError, "%ld", fd);
        return NULL;
    }
    return port;
}

static void clear(Port *port) {
    port->is_added = port->has_expected = 0;
    port->to_len = 0;
    port->exit = NULL;
    port->packets = port->bytes = port->errors = 0;
    port->last_packet = 0;
    port->generation++;
}

static PyObject *hold(Datapath *d, PyObject *udp) {
    PyObject *number = PyObject_CallMethod(udp, "fileno", NULL);
    long fd = number == NULL ? -1 : PyLong_AsLong(number);
    Py_XDECREF(number);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    if (fd < 0 || fd >= d->room)
        return PyErr_Format(PyExc_ValueError, "%ld is no descriptor below %zd", fd, d->room);
    Port *port = d->ports[fd];
    if (port == NULL) {
        port = calloc(1, sizeof *port);
        if (port == NULL)
            return PyErr_NoMemory();
        pthread_mutex_init(&port->lock, NULL);
        d->ports[fd] = port;
    }
    pthread_mutex_lock(&port->lock);
    clear(port);
    port->fd = (int)fd;
    pthread_mutex_unlock(&port->lock);
    Py_RETURN_NONE;
}

static PyObject *add(Datapath *d, PyObject *const *args, Py_ssize_t count) {
    SocketAddress expected = {0}, to = {0};
    if (count != 4) {
        PyErr_SetString(PyExc_TypeError, "add takes a port, a source, an exit and a target");
        return NULL;
    }
    int has_expected = read_address(args[1], &expected);
    int to_len = has_expected < 0 ? -1 : read_address(args[3], &to);
    Port *port = to_len < 0 ? NULL : port_of(d, args[0]);
    Port *exit = port == NULL ? NULL : port_of(d, args[2]);
    if (exit == NULL)
        return NULL;
    pthread_mutex_lock(&port->lock);
    int is_new = !port->is_added;
    port->is_added = 1;
    port->has_expected = has_expected > 0;
    port->expected = expected;
    port->to = to;
    port->to_len = (socklen_t)to_len;
    port->exit = exit;
    pthread_mutex_unlock(&port->lock);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = port};
    if (is_new && epoll_ctl(d->epoll, EPOLL_CTL_ADD, port->fd, &event) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyObject *forget(Datapath *d, PyObject *number) {
    Port *port = port_of(d, number);
    if (port == NULL)
        return NULL;
    if (port->is_added)
        epoll_ctl(d->epoll, EPOLL_CTL_DEL, port->fd, NULL);
    pthread_mutex_lock(&port->lock);
    clear(port);
    pthread_mutex_unlock(&port->lock);
    Py_RETURN_NONE;
}

static PyObject *release(Datapath *d, PyObject *number) {
    Port *port = port_of(d, number);
    PyObject *done = port == NULL ? NULL : forget(d, number);
    if (done == NULL)
        return NULL;
    pthread_mutex_lock(&port->lock);
    port->fd = -1;
    pthread_mutex_unlock(&port->lock);
    return done;
}

static PyObject *counters(Datapath *d, PyObject *number) {
    Port *port = port_of(d, number);
    if (port == NULL)
        return NULL;
    pthread_mutex_lock(&port->lock);
    unsigned long long packets = port->packets, bytes = port->bytes, errors = port->errors;
    double last_packet = port->last_packet;
    pthread_mutex_unlock(&port->lock);
    if (last_packet == 0)
        return Py_BuildValue("(KKKO)", packets, bytes, errors, Py_None);
    return Py_BuildValue("(KKKd)", packets, bytes, errors, last_packet);
}

static PyObject *count(Datapath *d, PyObject *const *args, Py_ssize_t number) {
    if (number != 3) {
        PyErr_SetString(PyExc_TypeError, "count takes a port, bytes and errors");
        return NULL;
    }
    Port *port = port_of(d, args[0]);
    long long bytes = port == NULL || args[1] == Py_None ? 0 : PyLong_AsLongLong(args[1]);
    long long errors = port == NULL ? -1 : PyLong_AsLongLong(args[2]);
    if (PyErr_Occurred())
        return NULL;
    pthread_mutex_lock(&port->lock);
    if (args[1] != Py_None) {
        port->packets++;
        port->bytes += (unsigned long long)bytes;
        port->last_packet = clock_now();
    }
    port->errors += (unsigned long long)errors;
    pthread_mutex_unlock(&port->lock);
    Py_RETURN_NONE;
}

static int next_waiting(Datapath *d, Waiting *next) {
    pthread_mutex_lock(&d->lock);
    int is_there = d->count > 0;
    if (is_there) {
        *next = d->queue[d->head];
        d->head = (d->head + 1) % QUEUE;
        d->count--;
    } else { /* under the lock: whoever comes next is the first, and will say so */
        eventfd_t none;
        eventfd_read(d->news, &none);
    }
    pthread_mutex_unlock(&d->lock);
    return is_there;
}

static PyObject *take(Datapath *d, PyObject *unused) {
    PyObject *list = PyList_New(0);
    Waiting next;
    for (int i = 0; list != NULL && i < TAKE && next_waiting(d, &next); i++) {
        int is_gone = next.port->generation != next.generation;
        PyObject *source = is_gone ? NULL : write_address(&next.source);
        PyObject *row = source == NULL ? NULL : Py_BuildValue("(iy#N)", next.port->fd, next.data, next.len, source);
        free(next.data);
        if (!is_gone && (row == NULL || PyList_Append(list, row) < 0))
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    return list;
}

static PyObject *number_of_news(Datapath *d, PyObject *unused) { return PyLong_FromLong(d->news); }

/* --- Beginning and end --- */

/* End the thread and close what is ours; the sockets are Python's. */
static void halt(Datapath *d) {
    if (d->is_running && d->process == getpid()) {
        eventfd_write(d->stop, 1);
        pthread_join(d->thread, NULL);
        d->is_running = 0;
    }
    int *ours[] = {&d->epoll, &d->stop, &d->news};
    for (int i = 0; i < 3; i++) {
        if (*ours[i] >= 0)
            close(*ours[i]);
        *ours[i] = -1;
    }
}

static PyObject *stop(Datapath *d, PyObject *unused) {
    halt(d);
    Py_RETURN_NONE;
}

/* Signals are for Python's threads. */
static int start_thread(Datapath *d) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&d->thread, NULL, work, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    d->is_running = !failed;
    d->process = getpid();
    errno = failed;
    return failed ? -1 : 0;
}

static int open_all(Datapath *d) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    d->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    d->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return d->epoll < 0 || d->stop < 0 || d->news < 0 || epoll_ctl(d->epoll, EPOLL_CTL_ADD, d->stop, &event) < 0 ? -1 : 0;
}

static PyObject *Datapath_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    struct rlimit limit;
    Datapath *d = (Datapath *)type->tp_alloc(type, 0);
    if (d == NULL)
        return NULL;
    d->epoll = d->stop = d->news = -1;
    pthread_mutex_init(&d->lock, NULL);
    d->room = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < MAX_PORTS ? (Py_ssize_t)limit.rlim_max : MAX_PORTS;
    d->ports = calloc((size_t)d->room, sizeof *d->ports);
    if (d->ports == NULL || open_all(d) < 0 || start_thread(d) < 0) {
        PyErr_SetFromErrno(PyExc_OSError);
        Py_CLEAR(d);
    }
    return (PyObject *)d;
}

static void Datapath_dealloc(Datapath *d) {
    halt(d);
    while (d->count > 0) {
        free(d->queue[d->head].data);
        d->head = (d->head + 1) % QUEUE;
        d->count--;
    }
    for (Py_ssize_t fd = 0; d->ports != NULL && fd < d->room; fd++)
        if (d->ports[fd] != NULL) {
            pthread_mutex_destroy(&d->ports[fd]->lock);
            free(d->ports[fd]);
        }
    free(d->ports);
    pthread_mutex_destroy(&d->lock);
    Py_TYPE(d)->tp_free((PyObject *)d);
}

#define FASTCALL(function) (PyCFunction)(void (*)(void))(function)

static PyMethodDef methods[] = {
    {"fileno", (PyCFunction)number_of_news, METH_NOARGS, NULL},
    {"hold", (PyCFunction)hold, METH_O, NULL},
    {"release", (PyCFunction)release, METH_O, NULL},
    {"add", FASTCALL(add), METH_FASTCALL, NULL},
    {"remove", (PyCFunction)forget, METH_O, NULL},
    {"counters", (PyCFunction)counters, METH_O, NULL},
    {"count", FASTCALL(count), METH_FASTCALL, NULL},
    {"take", (PyCFunction)take, METH_NOARGS, NULL},
    {"stop", (PyCFunction)stop, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject DatapathType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "ngcp_media.Datapath",
    .tp_basicsize = sizeof(Datapath),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = Datapath_new,
    .tp_dealloc = (destructor)Datapath_dealloc,
    .tp_methods = methods,
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "ngcp_media",
    .m_doc = "Media from socket to socket, in C; specified by ngcp.rtpengine.datapath, which serves where this is absent.",
    .m_size = -1,
};

PyMODINIT_FUNC PyInit_ngcp_media(void) {
    if (PyType_Ready(&DatapathType) < 0)
        return NULL;
    PyObject *m = PyModule_Create(&module);
    if (m != NULL && PyModule_AddObjectRef(m, "Datapath", (PyObject *)&DatapathType) < 0)
        Py_CLEAR(m);
    return m;
}
