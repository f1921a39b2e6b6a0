package io.daosmesh.storage.kv;

import java.util.ArrayList;
import java.util.List;

/** Changes that take effect together, in order. Owner: whoever fills it; arrays given to it must not be changed. */
public final class KvBatch {
    /** Receives the changes in order. */
    public interface Visitor {
        void put(byte[] key, byte[] value);

        void delete(byte[] key);

        /** @param to exclusive */
        void deleteRange(byte[] from, byte[] to);
    }

    private enum Kind {
        PUT,
        DELETE,
        DELETE_RANGE
    }

    private record Change(Kind kind, byte[] key, byte[] value) {}

    private static final byte[] NONE = new byte[0];

    private final List<Change> changes = new ArrayList<>();
    private long byteCount;

    public KvBatch put(byte[] key, byte[] value) {
        return add(new Change(Kind.PUT, key, value));
    }

    public KvBatch delete(byte[] key) {
        return add(new Change(Kind.DELETE, key, NONE));
    }

    public KvBatch deleteRange(byte[] from, byte[] to) {
        return add(new Change(Kind.DELETE_RANGE, from, to));
    }

    private KvBatch add(Change change) {
        changes.add(change);
        byteCount += change.key.length + change.value.length;
        return this;
    }

    public boolean isEmpty() {
        return changes.isEmpty();
    }

    public int count() {
        return changes.size();
    }

    /** Key and value bytes, for limits. */
    public long byteCount() {
        return byteCount;
    }

    public void clear() {
        changes.clear();
        byteCount = 0;
    }

    public void forEach(Visitor visitor) {
        for (Change c : changes) {
            switch (c.kind) {
                case PUT -> visitor.put(c.key, c.value);
                case DELETE -> visitor.delete(c.key);
                case DELETE_RANGE -> visitor.deleteRange(c.key, c.value);
            }
        }
    }
}
