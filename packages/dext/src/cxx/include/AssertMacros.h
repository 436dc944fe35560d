// Conditions that lead to a label, in the words that Apple's sources use.
#pragma once
#define __Check(assertion) ((void) 0)
#define __Verify(assertion) ((void) (assertion))
#define __Require(assertion, label) do { if (!(assertion)) goto label; } while (0)
#define __Require_Quiet(assertion, label) __Require(assertion, label)
#define __Require_Action(assertion, label, action) do { if (!(assertion)) { { action; } goto label; } } while (0)
#define __Require_Action_Quiet(assertion, label, action) __Require_Action(assertion, label, action)
#define __Require_noErr(code, label) do { if ((code) != 0) goto label; } while (0)
#define __Require_noErr_Quiet(code, label) __Require_noErr(code, label)
#define __Require_noErr_Action(code, label, action) do { if ((code) != 0) { { action; } goto label; } } while (0)
#define __Require_noErr_Action_Quiet(code, label, action) __Require_noErr_Action(code, label, action)
#define __nRequire(assertion, label) __Require(!(assertion), label)
#ifndef check
#define check(assertion) __Check(assertion)
#endif
#ifndef verify
#define verify(assertion) __Verify(assertion)
#endif
#ifndef require
#define require(assertion, label) __Require(assertion, label)
#define require_quiet(assertion, label) __Require(assertion, label)
#define require_action(assertion, label, action) __Require_Action(assertion, label, action)
#define require_action_quiet(assertion, label, action) __Require_Action(assertion, label, action)
#define require_noerr(code, label) __Require_noErr(code, label)
#define require_noerr_quiet(code, label) __Require_noErr(code, label)
#define require_noerr_action(code, label, action) __Require_noErr_Action(code, label, action)
#define require_noerr_action_quiet(code, label, action) __Require_noErr_Action(code, label, action)
#define nrequire(assertion, label) __nRequire(assertion, label)
#endif
