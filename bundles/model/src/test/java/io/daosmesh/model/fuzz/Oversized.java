package io.daosmesh.model.fuzz;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Message;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Makes attacks out of a message by its description: each field of it, at any depth, alone too large or odd. */
public final class Oversized {
    private static final int MUCH = 2 << 20;
    private static final int MANY = 1_000_000;
    private static final int KEYS = 10_000;
    private static final String LARGE_PROPERTY = "x".repeat(300 << 10);

    private Oversized() {}

    public static List<Message> of(Message right) {
        List<Message> all = new ArrayList<>();
        for (FieldDescriptor f : right.getDescriptorForType().getFields()) {
            if (f.isMapField()) map(right, f, all);
            else if (f.isRepeated()) repeated(right, f, all);
            else
                for (Object v : values(right, f))
                    all.add(right.toBuilder().setField(f, v).build());
        }
        return all;
    }

    private static void map(Message right, FieldDescriptor f, List<Message> all) {
        List<FieldDescriptor> sides = f.getMessageType().getFields();
        for (FieldDescriptor side : sides) {
            Message.Builder b = right.toBuilder();
            all.add(b.addRepeatedField(
                            f,
                            b.newBuilderForField(f)
                                    .setField(side, LARGE_PROPERTY)
                                    .build())
                    .build());
        }
        Message.Builder many = right.toBuilder();
        for (int i = 0; i < KEYS; i++) {
            Message.Builder entry = many.newBuilderForField(f).setField(sides.get(0), "key" + i);
            many.addRepeatedField(f, entry.setField(sides.get(1), "v").build());
        }
        all.add(many.build());
    }

    private static void repeated(Message right, FieldDescriptor f, List<Message> all) {
        Object one = switch (f.getJavaType()) {
            case MESSAGE -> right.toBuilder().newBuilderForField(f).build();
            case STRING -> "";
            case BYTE_STRING -> ByteString.EMPTY;
            case LONG -> 1L;
            default -> 1;
        };
        all.add(right.toBuilder().setField(f, Collections.nCopies(MANY, one)).build());
        List<?> odd = f.getJavaType() == JavaType.MESSAGE ? of((Message) one) : scalars(f);
        for (Object o : odd) all.add(right.toBuilder().addRepeatedField(f, o).build());
    }

    private static List<?> values(Message right, FieldDescriptor f) {
        return f.getJavaType() == JavaType.MESSAGE ? of((Message) right.getField(f)) : scalars(f);
    }

    private static List<?> scalars(FieldDescriptor f) {
        return switch (f.getJavaType()) {
            case STRING -> List.of("x".repeat(MUCH), "a\u001b]0;b\u0007", "a\n&&& RAS EVENT");
            case BYTE_STRING -> List.of(ByteString.copyFrom(new byte[MUCH]));
            default -> List.of();
        };
    }
}
