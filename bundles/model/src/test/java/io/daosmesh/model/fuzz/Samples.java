package io.daosmesh.model.fuzz;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;

/** Messages with something in every field, as the seeds of damaged ones. Stateless. */
public final class Samples {
    private static final int DEPTH_MAX = 4;

    private Samples() {}

    /** Two entries of each repeated field, small numbers, short texts, ids of 16 bytes. */
    public static Message of(Descriptor type) {
        return filled(type, 0);
    }

    private static Message filled(Descriptor type, int depth) {
        DynamicMessage.Builder b = DynamicMessage.newBuilder(type);
        for (FieldDescriptor f : type.getFields()) {
            boolean isMessage = f.getJavaType() == FieldDescriptor.JavaType.MESSAGE;
            if (isMessage && depth == DEPTH_MAX) continue;
            if (f.isRepeated()) {
                // the entries of a map have to differ
                for (int i = 0; i < 2; i++) b.addRepeatedField(f, value(f, depth, i));
            } else {
                b.setField(f, value(f, depth, 0));
            }
        }
        return b.build();
    }

    private static Object value(FieldDescriptor f, int depth, int number) {
        return switch (f.getJavaType()) {
            case INT -> 1 + number;
            case LONG -> 1L + number;
            case FLOAT -> 1.5f;
            case DOUBLE -> 1.5;
            case BOOLEAN -> true;
            case STRING -> "text" + number;
            case BYTE_STRING -> ByteString.copyFrom(new byte[16]);
            case ENUM -> f.getEnumType().getValues().get(0);
            case MESSAGE -> filled(f.getMessageType(), depth + 1);
        };
    }
}
