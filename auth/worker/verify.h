/* Whether a password is the one that a stored hash was made of. Runs in: auth-worker. Takes as long as the scheme does;
 * the memory that it used is wiped. Schemes: {CRYPT} and what crypt(5) has ({YESCRYPT}, {SHA512-CRYPT}, {SHA256-CRYPT},
 * {BLF-CRYPT}), {PLAIN}; without a {SCHEME}: {CRYPT}. */
#pragma once
#include "base/secret.h"

typedef enum verdict { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_UNUSABLE /* no such scheme, or a damaged hash */ } verdict;

verdict password_verify(secret password, secret stored);
