/* What the hypercall test guests share. All results go to the console as "name value", so that two
   hypervisors can be compared line by line. Machine frame numbers never appear. */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

static inline long hc(long nr, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	register u64 r10 asm("r10") = d, r8 asm("r8") = e;
	long ret;
	asm volatile("syscall" : "=a"(ret), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
		     : "0"(nr) : "rcx", "r11", "memory");
	return ret;
}
#define P(...) ((u64)(__VA_ARGS__))

static void put(const char *s, u64 n) { hc(18, 0, n, P(s), 0, 0); }
static inline u64 len(const char *s) { u64 n = 0; while (s[n]) n++; return n; }

static void show(const char *name, long v)
{
	char line[120];
	u64 n = 0, m = v < 0 && v > -4096 ? (u64)-v : (u64)v;
	for (const char *s = name; *s && n < 90; s++) line[n++] = *s;
	line[n++] = ' ';
	if (v < 0 && v > -4096) {
		line[n++] = '-';
		char d[8]; int k = 0;
		do d[k++] = '0' + m % 10; while (m /= 10);
		while (k) line[n++] = d[--k];
	} else {
		int k = 60;
		while (k && !(m >> k & 15)) k -= 4;
		for (; k >= 0; k -= 4) line[n++] = "0123456789abcdef"[m >> k & 15];
	}
	line[n++] = '\n';
	put(line, n);
}

extern u64 trap_vec, trap_code, trap_rip, trap_cs, trap_flags, resume_rip, try_rax, try_rcx, try_rdx, try_flags;
extern char on_syscall[], on_sysenter[], on_30[], on_80[], on_81[];
extern long try_user(const void *code, u64 rax, u64 rcx, u64 rdx, u64 flags);
extern char on_event[], on_nmi[], on_int3[], ap_start[];
extern u64 event_frame[7], event_count, nmi_count, *vcpu_info, ap_regs[12];
extern u64 trap_rsp;
extern char stack_top[];
extern u64 step_in, step_count, step_rips[16];
extern char on_db[], on_bp[], on_of[], on_ud[], on_nm[], on_np[], on_ss[], on_gp[], on_pf[];
extern long try_code(const void *code, u64 rax, u64 rcx, u64 rdx, u64 flags);

struct trap { u8 vec, flags; u16 cs; u32 pad; u64 addr; };
#define BASE 0xffffffff80000000ul

static u64 *start_info, *mfn_list;
static u64 mfn(const void *p) { return mfn_list[(P(p) - BASE) >> 12]; }
static inline u64 ma(const void *p) { return mfn(p) << 12 | (P(p) & 4095); }

static void set_traps(void)
{
	static const struct trap t[] = {
		{ 1, 4, 0, 0, (u64)on_db }, { 3, 4, 0, 0, (u64)on_bp }, { 4, 4, 0, 0, (u64)on_of },
		{ 6, 4, 0, 0, (u64)on_ud }, { 7, 4, 0, 0, (u64)on_nm }, { 11, 4, 0, 0, (u64)on_np },
		{ 12, 4, 0, 0, (u64)on_ss }, { 13, 4, 0, 0, (u64)on_gp }, { 14, 4, 0, 0, (u64)on_pf }, { 0 } };
	hc(0, P(t), 0, 0, 0, 0);
}

static void done(void)
{
	static u32 poweroff = 0;
	hc(29, 2, P(&poweroff), 0, 0, 0);
}
