package io.daosmesh.storage.kv;

import io.daosmesh.model.fault.Fault;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Changes that take effect together, in order. Owner: whoever fills it; bytes given to it must not be changed. */
public final class KvBatch {
    /** Receives the changes in order. */
    public interface Visitor {
        void put(byte[] key, byte[] value);

        void delete(byte[] key);

        /** @param to exclusive */
        void deleteRange(byte[] from, byte[] to);

        /** A value outside of the index. */
        default void value(ValueSpace space, long offsetBytes, ByteBuffer bytes) {}

        /** A range outside of the index was written before: older values of it are void. */
        default void written(ValueSpace space, long offsetBytes, long lengthBytes) {}
    }

    private final List<Consumer<Visitor>> changes = new ArrayList<>();
    private long byteCount;
    private final Set<ValueSpace> spaces = new HashSet<>(1);
    private long valueBytes;

    public KvBatch put(byte[] key, byte[] value) {
        return add(key.length + value.length, v -> v.put(key, value));
    }

    public KvBatch delete(byte[] key) {
        return add(key.length, v -> v.delete(key));
    }

    public KvBatch deleteRange(byte[] from, byte[] to) {
        return add(from.length + to.length, v -> v.deleteRange(from, to));
    }

    /** @param bytes whole blocks, from position to limit; left alone until the batch is written */
    public KvBatch value(ValueSpace space, long offsetBytes, ByteBuffer bytes) {
        valueBytes += bytes.remaining();
        spaces.add(space);
        return add(2 * Long.BYTES + bytes.remaining(), v -> v.value(space, offsetBytes, bytes));
    }

    public KvBatch written(ValueSpace space, long offsetBytes, long lengthBytes) {
        return add(3 * Long.BYTES, v -> v.written(space, offsetBytes, lengthBytes));
    }

    public KvBatch addAll(KvBatch other) {
        changes.addAll(other.changes);
        byteCount += other.byteCount;
        valueBytes += other.valueBytes;
        spaces.addAll(other.spaces);
        return this;
    }

    private KvBatch add(long bytes, Consumer<Visitor> change) {
        changes.add(change);
        byteCount += bytes;
        return this;
    }

    public boolean isEmpty() {
        return changes.isEmpty();
    }

    public int count() {
        return changes.size();
    }

    /** Of keys and values, for limits. */
    public long byteCount() {
        return byteCount;
    }

    /** Of values outside of the index. */
    public long valueBytes() {
        return valueBytes;
    }

    public void clear() {
        changes.clear();
        byteCount = 0;
        valueBytes = 0;
        spaces.clear();
    }

    /** A value of it will have to wait in memory. */
    public boolean isStuck() {
        return spaces.stream().anyMatch(ValueSpace::isStuck);
    }

    /** Why a value of it can be taken nowhere now; null when all can. */
    public @Nullable Fault refusal() {
        for (ValueSpace space : spaces) {
            Fault refusal = space.refusal();
            if (refusal != null) return refusal;
        }
        return null;
    }

    public void forEach(Visitor visitor) {
        for (Consumer<Visitor> change : changes) change.accept(visitor);
    }
}
