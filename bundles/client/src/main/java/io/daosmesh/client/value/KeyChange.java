package io.daosmesh.client.value;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;

/**
 * One dkey's part of an atomic change. Immutable; the bytes of the writes stay untouched until it has been answered.
 *
 * @param writes what is written; empty = the dkey is removed
 */
public record KeyChange(byte[] dkey, List<Write> writes, Expected expected) {
    /** Keys of one change. */
    public static final int CHANGES_MAX = 8;

    public KeyChange {
        writes = List.copyOf(writes);
    }

    public static KeyChange write(byte[] dkey, List<Write> writes, Expected expected) {
        if (writes.isEmpty()) {
            throw Fault.of(FaultCode.INVAL, "an update has at least one value").asException();
        }
        return new KeyChange(dkey, writes, expected);
    }

    public static KeyChange remove(byte[] dkey, Expected expected) {
        return new KeyChange(dkey, List.of(), expected);
    }

    public boolean isRemoval() {
        return writes.isEmpty();
    }
}
