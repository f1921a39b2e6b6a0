package io.daosmesh.model.limit;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.DiscardUnknownFieldsParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How much a message that comes in may hold: entries of each repeated field, bytes of each string and bytes field, at any
 * depth; two small sizes for all of them, and larger ones by name. Strings hold no control characters. Immutable, any thread.
 *
 * <p>Checked by whoever receives, before anything is kept, proposed or passed on. How many bytes a whole request may have is
 * the transport's matter.
 */
public final class MessageLimits {
    private final int countMax;
    private final int bytesMax;
    private final Map<FieldDescriptor, Integer> counts;
    private final Map<FieldDescriptor, Integer> bytes;

    private MessageLimits(
            int countMax, int bytesMax, Map<FieldDescriptor, Integer> counts, Map<FieldDescriptor, Integer> bytes) {
        this.countMax = countMax;
        this.bytesMax = bytesMax;
        this.counts = Map.copyOf(counts);
        this.bytes = Map.copyOf(bytes);
    }

    /**
     * @param countMax entries of a repeated field or map that is not named
     * @param bytesMax bytes of a string or bytes field that is not named
     */
    public static MessageLimits of(int countMax, int bytesMax) {
        return new MessageLimits(countMax, bytesMax, Map.of(), Map.of());
    }

    /** The same with another number of entries for one repeated field or map. */
    public MessageLimits withCount(Descriptor message, String field, int max) {
        Map<FieldDescriptor, Integer> more = new HashMap<>(counts);
        more.put(field(message, field), max);
        return new MessageLimits(countMax, bytesMax, more, bytes);
    }

    /** The same with another size for one string or bytes field; of a map {@code field.key} or {@code field.value}. */
    public MessageLimits withBytes(Descriptor message, String field, int max) {
        Map<FieldDescriptor, Integer> more = new HashMap<>(bytes);
        more.put(field(message, field), max);
        return new MessageLimits(countMax, bytesMax, counts, more);
    }

    private static FieldDescriptor field(Descriptor message, String path) {
        Descriptor in = message;
        FieldDescriptor found = null;
        for (String name : path.split("\\.")) {
            found = in.findFieldByName(name);
            if (found == null) throw new IllegalArgumentException(in.getName() + " has no field " + name);
            if (found.getJavaType() == JavaType.MESSAGE) in = found.getMessageType();
        }
        if (found == null) throw new IllegalArgumentException("no field named");
        return found;
    }

    /** Parses and checks. Fields that this release does not know are dropped: nobody would have checked them. */
    public <T extends Message> T parse(Parser<T> parser, ByteBuffer body) throws InvalidProtocolBufferException {
        T message = DiscardUnknownFieldsParser.wrap(parser).parseFrom(body);
        check(message);
        return message;
    }

    /** OVERFLOW for what is too large, INVAL for control characters; the fault names the field. */
    public void check(Message message) {
        for (FieldDescriptor f : message.getDescriptorForType().getFields()) {
            if (f.isRepeated()) checkAll(message, f);
            else if (f.getJavaType() != JavaType.MESSAGE || message.hasField(f)) checkOne(message, f);
        }
    }

    private void checkAll(Message message, FieldDescriptor f) {
        int count = message.getRepeatedFieldCount(f);
        int max = counts.getOrDefault(f, countMax);
        if (count > max) {
            throw Fault.of(FaultCode.OVERFLOW, "%s has %d entries, at most %d are taken", name(f), count, max)
                    .asException();
        }
        if (!isSized(f)) return;
        for (Object value : (List<?>) message.getField(f)) checkValue(f, value);
    }

    private void checkOne(Message message, FieldDescriptor f) {
        if (isSized(f)) checkValue(f, message.getField(f));
    }

    private static boolean isSized(FieldDescriptor f) {
        JavaType t = f.getJavaType();
        return t == JavaType.MESSAGE || t == JavaType.STRING || t == JavaType.BYTE_STRING;
    }

    private void checkValue(FieldDescriptor f, Object value) {
        if (value instanceof Message m) {
            check(m);
            return;
        }
        int size = value instanceof ByteString b ? b.size() : utf8Size((String) value);
        int max = bytes.getOrDefault(f, bytesMax);
        if (size > max) {
            throw Fault.of(FaultCode.OVERFLOW, "%s has %d bytes, at most %d are taken", name(f), size, max)
                    .asException();
        }
        if (value instanceof String s && s.chars().anyMatch(Character::isISOControl)) {
            throw Fault.of(FaultCode.INVAL, "%s holds control characters", name(f))
                    .asException();
        }
    }

    /** Without making a copy of it. */
    private static int utf8Size(String text) {
        int size = text.length();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            // each half of a surrogate pair makes two of its four bytes
            if (c >= 0x80) size += c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
        }
        return size;
    }

    /** {@code PoolTargetsRequest.ranks}; of a map {@code SetEntry.value}. */
    private static String name(FieldDescriptor f) {
        return f.getContainingType().getName() + "." + f.getName();
    }
}
