package io.daosmesh.engine.request;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.ByteBuffer;

/**
 * Counts the fields of a message before it is parsed: an empty entry of a list has two bytes on the wire and becomes an object of
 * sixty. It goes from field to field and copies nothing; where a message cannot be read it stops, as the parser will there. Owner:
 * whoever made it, for one message.
 */
final class FieldCount {
    /** Fields that are no list: no request has half as many. */
    private static final int SINGLE_MAX = 32;

    private static final int BROKEN = -1;
    private static final int LENGTH_DELIMITED = 2;

    private final String message;
    private final ByteBuffer body;
    private int at;

    private FieldCount(String message, ByteBuffer body) {
        this.message = message;
        this.body = body;
        this.at = body.position();
    }

    /** OVERFLOW when its one list has more entries. */
    static void check(String message, ByteBuffer body, int listMax) {
        new FieldCount(message, body).check(body.limit(), listMax, 0, 0);
    }

    /** The same where each entry of the list, the field of that number, has a list, too. */
    static void checkNested(String message, ByteBuffer body, int listMax, int list, int innerMax) {
        new FieldCount(message, body).check(body.limit(), listMax, list, innerMax);
    }

    private void check(int end, int max, int list, int innerMax) {
        for (int count = 1; at < end; count++) {
            if (count > max + SINGLE_MAX) {
                throw Fault.of(FaultCode.OVERFLOW, "%s has a list of more than %d entries", message, max)
                        .asException();
            }
            int tag = varint(end);
            int field = tag >>> 3;
            if (field == 0) at = BROKEN;
            int after = at == BROKEN ? BROKEN : skip(tag & 7, end);
            if (after == BROKEN) {
                at = body.limit();
                return;
            }
            if (list != 0 && tag == (list << 3 | LENGTH_DELIMITED)) check(after, innerMax, 0, 0);
            else at = after;
        }
    }

    /** Where the field ends; its content begins at {@code at}. Fields in a group count like those around it. */
    private int skip(int wireType, int end) {
        long length = switch (wireType) {
            case 0 -> {
                varint(end);
                yield 0;
            }
            case 1 -> 8;
            case LENGTH_DELIMITED -> varint(end) & 0xFFFF_FFFFL;
            case 3, 4 -> 0;
            case 5 -> 4;
            default -> BROKEN;
        };
        return at == BROKEN || length == BROKEN || length > end - at ? BROKEN : at + (int) length;
    }

    /** As the parser reads it: at most ten bytes, of which the lower 32 bits count. */
    private int varint(int end) {
        int value = 0;
        for (int shift = 0; shift < 70 && at < end; shift += 7) {
            byte b = body.get(at++);
            if (shift < 32) value |= (b & 0x7f) << shift;
            if (b >= 0) return value;
        }
        at = BROKEN;
        return 0;
    }
}
