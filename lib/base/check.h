/* Assertions that stay in: a failed one is a bug of ours, and stopping is safer than going on. */
#ifndef AL_CHECK_H
#define AL_CHECK_H

#define AL_ASSERT(cond) ((cond) ? (void)0 : al_assert_failed(#cond, __FILE__, __LINE__, __func__))

/* Print what failed and where, and abort. */
_Noreturn void al_assert_failed(const char *cond, const char *file, int line, const char *func);

#endif
