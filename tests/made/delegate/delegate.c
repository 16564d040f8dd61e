/* An external delegate for the tests: it takes nodes of one operator away from the runtime, and can misbehave.

   It computes nothing itself. A delegated node calls the kernel that the runtime has for the operator, so every
   operator and type works, and the results are those of the runtime's own kernels.

   Options, each as key=value:

     operator   builtin code of the operator to take, such as 9 for FULLY_CONNECTED (default 25, SOFTMAX); none: no node
     delay_us   sleep this many microseconds before each delegated operator
     lasts_us   be busy until each delegated operator has lasted this many microseconds
     later_us   the same, in place of lasts_us, for operators that begin after_ms or more after the first one
     after_ms   see later_us (default 0)
     refuse     refuse to be created, with the value as the message
     fail       prepare or invoke: report an error there
     crash      create, prepare or invoke: write to address zero there
     static     1: declare that it accepts only fixed shapes

   Any other option is refused. The declarations are the first fields of those in TensorFlow Lite's core/c/common.h,
   which are the same in tflite-runtime 2.14 and ai-edge-litert 2. The size of a tensor is not: none is accessed. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef enum { OK = 0, ERROR = 1 } Status;

typedef struct {
  int size;
  int data[];
} IntArray;

typedef struct Context Context;
typedef struct Delegate Delegate;
typedef struct Node Node;
typedef struct Registration Registration;

typedef Status (*GetNode)(Context*, int, Node**, Registration**);

struct Node {
  IntArray *inputs, *outputs, *intermediates, *temporaries;
  void* user_data;
};

struct Registration { /* passed by value: a runtime that knows fewer fields ignores the last ones */
  void* (*init)(Context*, const char*, size_t);
  void (*free)(Context*, void*);
  Status (*prepare)(Context*, Node*);
  Status (*invoke)(Context*, Node*);
  const char* (*profiling_string)(const Context*, const Node*);
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* external;
  void* async_kernel;
  uint64_t inplace_operator;
};

struct Context {
  size_t tensors_size;
  Status (*GetExecutionPlan)(Context*, IntArray**);
  void *tensors, *impl, *ResizeTensor;
  void (*ReportError)(Context*, const char*, ...);
  void* AddTensors;
  GetNode GetNodeAndRegistration;
  Status (*ReplaceNodeSubsets)(Context*, Registration, const IntArray*, Delegate*);
};

struct Delegate {
  void* data;
  Status (*Prepare)(Context*, Delegate*);
  void *CopyFromBufferHandle, *CopyToBufferHandle, *FreeBufferHandle;
  int64_t flags;
  void* opaque_builder;
};

typedef struct { /* what a delegated node's init gets */
  Delegate* delegate;
  IntArray *nodes, *inputs, *outputs;
} Parameters;

enum { ALLOW_DYNAMIC_TENSORS = 1, SOFTMAX = 25 };

static struct {
  int operator;
  long delay_us, lasts_us, later_us, after_ms;
  const char *fail, *crash;
} options;

typedef struct {
  GetNode get_node; /* the runtime replaces it in the context after init */
  IntArray *nodes, *outputs;
  IntArray** temporaries; /* of each node */
} Kernel;

static IntArray* copy_of(const IntArray* array) {
  size_t bytes = sizeof(IntArray) + sizeof(int) * array->size;
  return memcpy(malloc(bytes), array, bytes);
}

static int contains(const IntArray* array, int value) {
  for (int i = 0; array && i < array->size; i++)
    if (array->data[i] == value) return 1;
  return 0;
}

static Status misbehave(Context* context, const char* step) {
  if (!strcmp(options.crash, step)) raise(SIGSEGV);
  if (strcmp(options.fail, step)) return OK;
  context->ReportError(context, "the test delegate fails on purpose in %s", step);
  return ERROR;
}

static void* kernel_init(Context* context, const char* buffer, size_t length) {
  (void)length;
  const Parameters* parameters = (const Parameters*)buffer;
  Kernel* kernel = malloc(sizeof *kernel);
  kernel->get_node = context->GetNodeAndRegistration;
  kernel->nodes = copy_of(parameters->nodes);
  kernel->outputs = copy_of(parameters->outputs);
  kernel->temporaries = malloc(sizeof(IntArray*) * kernel->nodes->size);
  for (int i = 0; i < kernel->nodes->size; i++) kernel->temporaries[i] = calloc(1, sizeof(IntArray));
  return kernel;
}

static void kernel_free(Context* context, void* buffer) {
  (void)context;
  Kernel* kernel = buffer;
  for (int i = 0; i < kernel->nodes->size; i++) free(kernel->temporaries[i]);
  free(kernel->temporaries);
  free(kernel->nodes);
  free(kernel->outputs);
  free(kernel);
}

/* Call a node's own kernel. The runtime frees the temporaries of nodes that were delegated, so they are kept apart. */
static Status call_own(Kernel* kernel, Context* context, int number, int prepares) {
  Node* node;
  Registration* own;
  if (kernel->get_node(context, kernel->nodes->data[number], &node, &own)) return ERROR;
  IntArray* none = node->temporaries;
  node->temporaries = kernel->temporaries[number];
  Status status = !prepares ? own->invoke(context, node) : own->prepare ? own->prepare(context, node) : OK;
  kernel->temporaries[number] = node->temporaries;
  node->temporaries = none;
  return status;
}

/* What the nodes' own kernels need besides the inputs and outputs becomes a temporary of the delegated node, as the
   runtime allocates memory only for that node. */
static Status kernel_prepare(Context* context, Node* delegated) {
  Kernel* kernel = delegated->user_data;
  int most = 0;
  for (int i = 0; i < kernel->nodes->size; i++) {
    Node* node;
    Registration* own;
    if (call_own(kernel, context, i, 1) || kernel->get_node(context, kernel->nodes->data[i], &node, &own)) return ERROR;
    most += kernel->temporaries[i]->size + node->outputs->size;
  }
  free(delegated->temporaries);
  IntArray* needed = delegated->temporaries = malloc(sizeof(IntArray) + sizeof(int) * most);
  needed->size = 0;
  for (int i = 0; i < kernel->nodes->size; i++) {
    Node* node;
    Registration* own;
    if (kernel->get_node(context, kernel->nodes->data[i], &node, &own)) return ERROR;
    for (int j = 0; j < kernel->temporaries[i]->size; j++) needed->data[needed->size++] = kernel->temporaries[i]->data[j];
    for (int j = 0; j < node->outputs->size; j++)
      if (!contains(kernel->outputs, node->outputs->data[j])) needed->data[needed->size++] = node->outputs->data[j];
  }
  return OK;
}

static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * (int64_t)1000000 + now.tv_nsec / 1000;
}

/* Be busy, as a throttled processor would, until an operator that began then has lasted long enough. */
static void last(int64_t began) {
  static int64_t first;
  if (!first) first = began;
  int is_later = options.later_us && began - first >= options.after_ms * (int64_t)1000;
  int64_t end = began + (is_later ? options.later_us : options.lasts_us);
  while (now_us() < end);
}

static Status kernel_invoke(Context* context, Node* delegated) {
  Kernel* kernel = delegated->user_data;
  if (misbehave(context, "invoke")) return ERROR;
  for (int i = 0; i < kernel->nodes->size; i++) {
    struct timespec delay = {options.delay_us / 1000000, options.delay_us % 1000000 * 1000};
    int64_t began = now_us();
    if (options.delay_us) nanosleep(&delay, NULL);
    if (call_own(kernel, context, i, 0)) return ERROR;
    last(began);
  }
  return OK;
}

static Status prepare(Context* context, Delegate* delegate) {
  if (misbehave(context, "prepare")) return ERROR;
  IntArray* plan;
  if (context->GetExecutionPlan(context, &plan)) return ERROR;
  IntArray* taken = malloc(sizeof(IntArray) + sizeof(int) * plan->size);
  taken->size = 0;
  for (int i = 0; i < plan->size; i++) {
    Node* node;
    Registration* own;
    if (context->GetNodeAndRegistration(context, plan->data[i], &node, &own)) return ERROR;
    if (own->builtin_code == options.operator) taken->data[taken->size++] = plan->data[i];
  }
  Registration registration = {
      .init = kernel_init, .free = kernel_free, .prepare = kernel_prepare, .invoke = kernel_invoke,
      .custom_name = "TestDelegate", .version = 1,
  };
  Status status = context->ReplaceNodeSubsets(context, registration, taken, delegate);
  free(taken);
  return status;
}

static Delegate* refused(void (*report)(const char*), const char* message) {
  if (report) report(message);
  return NULL;
}

Delegate* tflite_plugin_create_delegate(char** keys, char** values, size_t count, void (*report)(const char*)) {
  int64_t flags = ALLOW_DYNAMIC_TENSORS;
  options.operator = SOFTMAX;
  options.delay_us = options.lasts_us = options.later_us = options.after_ms = 0;
  options.fail = options.crash = "";
  for (size_t i = 0; i < count; i++) {
    if (!strcmp(keys[i], "operator")) options.operator = strcmp(values[i], "none") ? atoi(values[i]) : -1;
    else if (!strcmp(keys[i], "delay_us")) options.delay_us = atol(values[i]);
    else if (!strcmp(keys[i], "lasts_us")) options.lasts_us = atol(values[i]);
    else if (!strcmp(keys[i], "later_us")) options.later_us = atol(values[i]);
    else if (!strcmp(keys[i], "after_ms")) options.after_ms = atol(values[i]);
    else if (!strcmp(keys[i], "refuse")) return refused(report, values[i]);
    else if (!strcmp(keys[i], "fail")) options.fail = strdup(values[i]);
    else if (!strcmp(keys[i], "crash")) options.crash = strdup(values[i]);
    else if (!strcmp(keys[i], "static")) flags = atoi(values[i]) ? 0 : ALLOW_DYNAMIC_TENSORS;
    else {
      char message[200];
      snprintf(message, sizeof message, "unknown option %.100s", keys[i]);
      return refused(report, message);
    }
  }
  if (!strcmp(options.crash, "create")) raise(SIGSEGV);
  Delegate* delegate = calloc(1, sizeof *delegate);
  delegate->Prepare = prepare;
  delegate->flags = flags;
  return delegate;
}

void tflite_plugin_destroy_delegate(Delegate* delegate) { free(delegate); }
