/*
 * log.h - lines for people on stderr. Data goes to stdout and never through this file.
 * Control characters in the message are replaced, so no name from data can drive a
 * terminal.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* program is put in front of every line and is not copied. Default level LOG_INFO. */
void log_setup(const char *program, enum log_level level);
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format,
                                                    ...);
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
