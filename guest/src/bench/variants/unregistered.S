/* unregistered: no handler for the vector. */
#include "stub.h"

NO_STUB(unregistered)
