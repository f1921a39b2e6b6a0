package io.daosmesh.model.id;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.Arrays;
import java.util.Optional;

/**
 * 128-bit object identifier. The top 32 bits belong to the system: 8 bits object type, 8 bits redundancy code, 16 bits
 * number of redundancy groups (resolved when the id is made, so that it never changes). The low 96 bits are the user's and
 * unique in the container. Immutable.
 */
public record ObjectId(long high, long low) implements Comparable<ObjectId> {

    /** Object types that this release makes. */
    public enum Type {
        KEY_VALUE(0),
        ARRAY(1),
        MULTI_HASHED(2);

        private final int code;

        Type(int code) {
            this.code = code;
        }
    }

    /** @param userHigh 32 bits, the upper part of the user's 96 */
    public static ObjectId of(Type type, ObjectClass oclass, int groupCount, int userHigh, long userLow) {
        if (groupCount < 1 || groupCount > 0xffff) {
            throw Fault.of(FaultCode.INVAL, "group count %d outside 1..65535", groupCount)
                    .asException();
        }
        long top = ((long) type.code << 24) | ((long) oclass.code() << 16) | groupCount;
        return new ObjectId((top << 32) | (userHigh & 0xffff_ffffL), userLow);
    }

    public Type type() {
        return known().orElseThrow(() ->
                Fault.of(FaultCode.INVAL, "unknown object type %d", high >>> 56).asException());
    }

    private Optional<Type> known() {
        return Arrays.stream(Type.values()).filter(t -> t.code == high >>> 56).findFirst();
    }

    public ObjectClass objectClass() {
        return ObjectClass.ofCode((int) (high >>> 48) & 0xff);
    }

    public int groupCount() {
        return (int) (high >>> 32) & 0xffff;
    }

    /** False for what cannot have been made: nothing of it can be asked for. */
    public boolean isSound() {
        return known().isPresent() && ObjectClass.isCode((int) (high >>> 48) & 0xff) && groupCount() >= 1;
    }

    @Override
    public int compareTo(ObjectId o) {
        int c = Long.compareUnsigned(high, o.high);
        return c != 0 ? c : Long.compareUnsigned(low, o.low);
    }

    /** {@code 562954248388608.1} style: high.low unsigned, as DAOS prints. */
    @Override
    public String toString() {
        return Long.toUnsignedString(high) + "." + Long.toUnsignedString(low);
    }

    /** Reads what {@link #toString} prints. */
    public static ObjectId parse(String text) {
        int dot = text.indexOf('.');
        try {
            if (dot < 1) throw new NumberFormatException();
            return new ObjectId(
                    Long.parseUnsignedLong(text.substring(0, dot)), Long.parseUnsignedLong(text.substring(dot + 1)));
        } catch (NumberFormatException e) {
            throw Fault.of(FaultCode.INVAL, "object id '%s' is not of the form HIGH.LOW", text)
                    .asException();
        }
    }
}
