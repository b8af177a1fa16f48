/* shape_widths.c - widths that follow from single sizes. */
#include "shape_widths.h"

#include <math.h>

int shape_intermediate_size(double expansion, int width, int multiple)
{
    double rounded = nearbyint(expansion * width * 2.0 / 3.0); /* half to even */
    int multiples = (int)ceil(rounded / multiple);

    return (multiples > 0 ? multiples : 1) * multiple;
}

int64_t shape_prefix(int64_t ndim, int64_t len, int64_t hidden_size)
{
    if (ndim == 0)
        return 0;
    return len > 0 ? len : (ndim + hidden_size - 1) / hidden_size;
}
