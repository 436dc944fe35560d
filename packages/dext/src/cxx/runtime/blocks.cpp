// Blocks: the few functions that compiled code calls for them. Objects that a block captures are not retained.
#include "host.h"
#include <Block.h>

namespace {
struct Descriptor {
    unsigned long reserved;
    unsigned long size;
    void (*copy)(void * to, const void * from);
    void (*dispose)(const void * from);
};
struct Literal {
    void * isa;
    int flags;
    int count;
    void (*invoke)(void *, ...);
    const Descriptor * descriptor;
};
struct ByRef {
    void * isa;
    ByRef * forwarding;
    int flags;
    int size;
    void (*keep)(void * to, void * from);
    void (*destroy)(void * from);
};
enum { hasCopyDispose = 1 << 25, isGlobal = 1 << 28, isOnHeap = 1 << 24, byRefHasHelpers = 1 << 25 };
enum { fieldIsObject = 3, fieldIsBlock = 7, fieldIsByRef = 8, fieldIsWeak = 16, fieldIsHelper = 128 };
}

extern "C" {
void * _NSConcreteStackBlock[32];
void * _NSConcreteGlobalBlock[32];
void * _NSConcreteMallocBlock[32];

void * _Block_copy(const void * given)
{
    Literal * block = (Literal *) given;
    if (block == nullptr || (block->flags & isGlobal)) return block;
    if (block->flags & isOnHeap) {
        block->count++;
        return block;
    }
    Literal * copy = (Literal *) malloc(block->descriptor->size);
    if (copy == nullptr) return nullptr;
    memcpy(copy, block, block->descriptor->size);
    copy->isa = _NSConcreteMallocBlock;
    copy->flags |= isOnHeap;
    copy->count = 1;
    if (copy->flags & hasCopyDispose) copy->descriptor->copy(copy, block);
    return copy;
}

void _Block_release(const void * given)
{
    Literal * block = (Literal *) given;
    if (block == nullptr || !(block->flags & isOnHeap)) return;
    if (--block->count > 0) return;
    if (block->flags & hasCopyDispose) block->descriptor->dispose(block);
    free(block);
}

void _Block_object_assign(void * to, const void * object, int flags)
{
    if ((flags & (fieldIsByRef | fieldIsHelper)) == fieldIsByRef) {
        ByRef * from = (ByRef *) object;
        if (from->forwarding == from && !(from->flags & isOnHeap)) {
            ByRef * copy = (ByRef *) malloc((size_t) from->size);
            memcpy(copy, from, (size_t) from->size);
            copy->flags = (from->flags & ~0xffff) | isOnHeap | 2;
            copy->forwarding = copy;
            from->forwarding = copy;
            if (from->flags & byRefHasHelpers) from->keep(copy, from);
        } else from->forwarding->flags++;
        *(void **) to = from->forwarding;
        return;
    }
    if ((flags & fieldIsBlock) == fieldIsBlock && !(flags & fieldIsHelper)) {
        *(void **) to = _Block_copy(object);
        return;
    }
    *(void **) to = (void *) object;
}

void _Block_object_dispose(const void * object, int flags)
{
    if ((flags & (fieldIsByRef | fieldIsHelper)) == fieldIsByRef) {
        ByRef * from = ((ByRef *) object)->forwarding;
        if (!(from->flags & isOnHeap) || (--from->flags & 0xffff) != 1) return;
        if (from->flags & byRefHasHelpers) from->destroy(from);
        free(from);
        return;
    }
    if ((flags & fieldIsBlock) == fieldIsBlock && !(flags & fieldIsHelper)) _Block_release(object);
}
}

DRYDOCK_EXPORT(drydock_block_copy) void * drydock_block_copy(const void * block) { return _Block_copy(block); }
DRYDOCK_EXPORT(drydock_block_release) void drydock_block_release(const void * block) { _Block_release(block); }
