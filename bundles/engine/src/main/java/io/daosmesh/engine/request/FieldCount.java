package io.daosmesh.engine.request;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Counts the fields of a message before it is parsed: an empty entry of a list has two bytes on the wire and becomes an object of
 * sixty. It goes from field to field and keeps nothing. Stateless.
 */
final class FieldCount {
    /** Fields that are no list: no request has half as many. */
    private static final int SINGLE_MAX = 32;

    private static final int LENGTH_DELIMITED = 2;

    /** What may be in a message. */
    private record Lists(int max, int nested, int innerMax) {}

    private FieldCount() {}

    /** OVERFLOW when its one list has more entries. */
    static void check(String message, ByteBuffer body, int listMax) throws InvalidProtocolBufferException {
        check(message, body, new Lists(listMax, 0, 0));
    }

    /** The same where each entry of the list, the field of that number, has a list, too. */
    static void checkNested(String message, ByteBuffer body, int listMax, int list, int innerMax)
            throws InvalidProtocolBufferException {
        check(message, body, new Lists(listMax, list, innerMax));
    }

    private static void check(String message, ByteBuffer body, Lists lists) throws InvalidProtocolBufferException {
        try {
            check(message, CodedInputStream.newInstance(body), lists);
        } catch (InvalidProtocolBufferException e) {
            throw e;
        } catch (IOException e) {
            throw new IllegalStateException("a buffer is read", e);
        }
    }

    private static void check(String message, CodedInputStream in, Lists lists) throws IOException {
        int tag = in.readTag();
        for (int count = 1; tag != 0; count++) {
            if (count > lists.max() + SINGLE_MAX) {
                throw Fault.of(FaultCode.OVERFLOW, "%s has a list of more than %d entries", message, lists.max())
                        .asException();
            }
            if (lists.nested() != 0 && tag == (lists.nested() << 3 | LENGTH_DELIMITED)) {
                int outer = in.pushLimit(in.readRawVarint32());
                check(message, in, new Lists(lists.innerMax(), 0, 0));
                in.popLimit(outer);
            } else {
                in.skipField(tag);
            }
            tag = in.readTag();
        }
    }
}
