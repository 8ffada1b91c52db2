/*
 * Integer and software-floating-point work for the counting core: what a compiler makes of loops, recursion, jump tables,
 * structures, 64-bit arithmetic and library calls. Each part leaves words in `out`. Own code, no library but libgcc.
 */
#include <stdint.h>

#define OUT_WORDS 256
uint32_t out[OUT_WORDS];
/* What start-up writes ends here: its own section keeps it behind `out`. */
__attribute__((section(".bss.zz_end"))) uint32_t out_end[1];

static uint32_t used;
static void put(uint32_t word) { out[used++ % OUT_WORDS] = word; }

static uint32_t seed;
static uint32_t next_random(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}

void *memcpy(void *to, const void *from, unsigned n) {
  uint8_t *t = to;
  const uint8_t *f = from;
  while (n--) *t++ = *f++;
  return to;
}

void *memset(void *to, int byte, unsigned n) {
  uint8_t *t = to;
  while (n--) *t++ = byte;
  return to;
}

static void checksums(void) {
  uint8_t bytes[64];
  for (int i = 0; i < 64; i++) bytes[i] = next_random();
  uint32_t crc = 0xffffffff, a = 1, b = 0;
  for (int i = 0; i < 64; i++) {
    crc ^= bytes[i];
    for (int k = 0; k < 8; k++) crc = (crc >> 1) ^ (0xedb88320 & -(crc & 1));
    a = (a + bytes[i]) % 65521;
    b = (b + a) % 65521;
  }
  put(~crc);
  put((b << 16) | a);
  uint32_t fletcher = 0;
  for (int i = 0; i < 32; i++) fletcher = (fletcher << 3 | fletcher >> 29) + *(uint16_t *)&bytes[2 * i];
  put(fletcher);
}

static void sort(int32_t *list, int low, int high) {
  if (low >= high) return;
  int32_t pivot = list[(low + high) / 2];
  int i = low, j = high;
  while (i <= j) {
    while (list[i] < pivot) i++;
    while (list[j] > pivot) j--;
    if (i <= j) {
      int32_t held = list[i];
      list[i++] = list[j];
      list[j--] = held;
    }
  }
  sort(list, low, j);
  sort(list, i, high);
}

static void sorting(void) {
  int32_t list[50];
  for (int i = 0; i < 50; i++) list[i] = next_random();
  sort(list, 0, 49);
  for (int i = 0; i < 50; i += 7) put(list[i]);
}

static void long_arithmetic(void) {
  uint64_t a = ((uint64_t)next_random() << 32) | next_random();
  int64_t b = (int64_t)(((uint64_t)next_random() << 32) | next_random());
  for (int i = 0; i < 12; i++) {
    uint64_t product = a * (uint64_t)b + i;
    int64_t quotient = b / (int64_t)((a >> 40) | 1);
    uint64_t rest = product % ((a & 0xffffff) | 1);
    put(product >> 32);
    put((uint32_t)quotient ^ (uint32_t)rest);
    a = (product << 7) | (product >> 57);
    b = quotient - (int64_t)rest * 12345;
  }
}

static int32_t machine(uint32_t op, int32_t x, int32_t y) {
  switch (op) {
    case 0: return x + y;
    case 1: return x - y;
    case 2: return x * y;
    case 3: return y ? x / y : -1;
    case 4: return y ? (int32_t)((uint32_t)x % (uint32_t)y) : -2;
    case 5: return x << (y & 31);
    case 6: return x >> (y & 31);
    case 7: return (uint32_t)x >> (y & 31);
    case 8: return x & ~y;
    case 9: return x < y ? x : y;
    case 10: return (int8_t)x + (uint8_t)y;
    case 11: return (int16_t)x - (uint16_t)y;
    case 12: return __builtin_clz(x | 1) - __builtin_ctz(y | 0x80000000);
    case 13: return __builtin_bswap32(x) ^ __builtin_bswap16(y);
    case 14: return __builtin_popcount(x) + __builtin_parity(y);
    default: return (x ^ y) == 7;
  }
}

static void jump_table(void) {
  int32_t x = 1, y = 2;
  for (int i = 0; i < 200; i++) {
    int32_t result = machine(next_random() & 15, x, y);
    x = y + (int32_t)(next_random() >> (i & 15));
    y = result;
    if (i % 10 == 0) put(result);
  }
}

struct packed_fields {
  unsigned kind : 3;
  signed level : 7;
  unsigned count : 13;
  unsigned last : 9;
};
struct shape {
  struct packed_fields fields;
  int16_t corners[6];
  uint8_t name[7];
  int64_t weight;
};

static struct shape turn(struct shape from, int by) {
  struct shape to = from;
  to.fields.kind = from.fields.kind + by;
  to.fields.level = from.fields.level - by;
  to.fields.count += by * 77;
  for (int i = 0; i < 6; i++) to.corners[i] = from.corners[(i + by) % 6] * by;
  for (int i = 0; i < 7; i++) to.name[i] ^= from.name[6 - i] + by;
  to.weight = from.weight * by - to.corners[0];
  return to;
}

static void structures(void) {
  struct shape shape;
  uint8_t *raw = (uint8_t *)&shape;
  for (unsigned i = 0; i < sizeof shape; i++) raw[i] = next_random();
  for (int i = 1; i < 9; i++) {
    shape = turn(shape, i);
    put(shape.fields.kind | (uint32_t)(shape.fields.level & 127) << 3 | shape.fields.count << 10);
    put((uint32_t)(shape.corners[i % 6] << 8) ^ shape.name[i % 7] ^ (uint32_t)(shape.weight >> 20));
  }
}

static void floating_point(void) {
  double sum = 0;
  float product = 1;
  for (int i = 1; i < 20; i++) {
    sum += 1.0 / (i * i) - (double)(int32_t)next_random() * 1e-12;
    product *= 1.0f + (float)(next_random() & 255) / 4096.0f;
    if (product > 100.0f) product /= 3.0f;
  }
  union { double d; uint32_t w[2]; } bits = { .d = sum };
  union { float f; uint32_t w; } single = { .f = product };
  put(bits.w[0]);
  put(bits.w[1]);
  put(single.w);
  put((int32_t)(sum * 1000.0));
}

static int32_t saturating_filter(const int16_t *samples, const int16_t *taps, int n) {
  int64_t sum = 0;
  for (int i = 0; i < n; i++) sum += (int32_t)samples[i] * taps[n - 1 - i];
  sum >>= 15;
  return sum > 32767 ? 32767 : sum < -32768 ? -32768 : (int32_t)sum;
}

static void signal_processing(void) {
  int16_t samples[40], taps[8];
  for (int i = 0; i < 40; i++) samples[i] = next_random();
  for (int i = 0; i < 8; i++) taps[i] = next_random();
  for (int i = 0; i < 32; i += 3) put(saturating_filter(samples + i, taps, 8));
}

static uint32_t ackermann(uint32_t m, uint32_t n) {
  if (m == 0) return n + 1;
  return ackermann(m - 1, n == 0 ? 1 : ackermann(m, n - 1));
}

int main(void) {
  used = 0;
  for (int i = 0; i < OUT_WORDS; i++) out[i] = 0;
  for (uint32_t round = 1; round < 4; round++) {
    seed = 0x9e3779b9 * round;
    checksums();
    sorting();
    long_arithmetic();
    jump_table();
    structures();
    floating_point();
    signal_processing();
    put(ackermann(2, round + 4));
  }
  return 0;
}
