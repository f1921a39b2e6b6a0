package io.daosmesh.model.limit;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.ContainerCreateRequest;
import io.daosmesh.model.wire.ContainerMessage;
import io.daosmesh.model.wire.MapPushMessage;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.util.Collections;
import org.junit.jupiter.api.Test;

class MessageLimitsTest {
    private final MessageLimits limits = MessageLimits.of(4, 10)
            .withCount(PoolTargetsRequest.getDescriptor(), "ranks", 100)
            .withBytes(ContainerMessage.getDescriptor(), "properties.value", 20);

    private String refusal(FaultCode code, Message m) {
        FaultException e = assertThrows(FaultException.class, () -> limits.check(m));
        assertEquals(code, e.code());
        return e.fault().text();
    }

    private static Message create(ContainerMessage.Builder c) {
        return ContainerCreateRequest.newBuilder().setContainer(c).build();
    }

    @Test
    void shouldCountTheEntriesOfRepeatedFieldsWhenParsed() {
        PoolTargetsRequest.Builder b = PoolTargetsRequest.newBuilder();

        limits.check(b.addAllRanks(Collections.nCopies(100, 1)).build());
        String more = refusal(FaultCode.OVERFLOW, b.addRanks(1).build());
        String indexes = refusal(
                FaultCode.OVERFLOW,
                PoolTargetsRequest.newBuilder()
                        .addAllTargetIndexes(Collections.nCopies(5, 1))
                        .build());

        assertEquals("PoolTargetsRequest.ranks has 101 entries, at most 100 are taken", more);
        assertTrue(indexes.startsWith("PoolTargetsRequest.target_indexes has 5"), indexes);
    }

    @Test
    void shouldMeasureStringsAndBytesAtAnyDepthWhenParsed() {
        limits.check(create(ContainerMessage.newBuilder().setLabel("0123456789")));
        limits.check(create(ContainerMessage.newBuilder().putProperties("k", "v".repeat(20))));

        refusal(FaultCode.OVERFLOW, create(ContainerMessage.newBuilder().setLabel("01234567890")));
        refusal(FaultCode.OVERFLOW, create(ContainerMessage.newBuilder().setLabel("\u20ac\u20ac\u20ac\u20ac")));
        refusal(FaultCode.OVERFLOW, create(ContainerMessage.newBuilder().setUuid(ByteString.copyFrom(new byte[11]))));
        refusal(FaultCode.OVERFLOW, create(ContainerMessage.newBuilder().putProperties("k", "v".repeat(21))));
        refusal(FaultCode.OVERFLOW, create(ContainerMessage.newBuilder().putProperties("k".repeat(11), "v")));
        refusal(
                FaultCode.OVERFLOW,
                MapPushMessage.newBuilder()
                        .addPoolsGone(ByteString.copyFrom(new byte[11]))
                        .build());
    }

    @Test
    void shouldMeasureAsUtf8WhenAStringIsNotAscii() {
        for (String s : new String[] {"a", "\u00e4", "\u20ac", "\ud83d\ude00"}) {
            MessageLimits exact = MessageLimits.of(1, ByteString.copyFromUtf8(s).size());
            Message m = create(ContainerMessage.newBuilder().setLabel(s));

            assertDoesNotThrow(() -> exact.check(m));
            assertThrows(
                    FaultException.class,
                    () -> MessageLimits.of(1, ByteString.copyFromUtf8(s).size() - 1)
                            .check(m));
        }
    }

    @Test
    void shouldRefuseControlCharactersWhenTheyAreInAString() {
        String told =
                refusal(FaultCode.INVAL, create(ContainerMessage.newBuilder().setType("a\u001b]0;b")));

        assertEquals("ContainerMessage.type holds control characters", told);
        refusal(FaultCode.INVAL, create(ContainerMessage.newBuilder().putProperties("a\nb", "")));
    }

    @Test
    void shouldDropUnknownFieldsWhenParsing() throws Exception {
        UnknownFieldSet much = UnknownFieldSet.newBuilder()
                .addField(
                        999,
                        UnknownFieldSet.Field.newBuilder()
                                .addLengthDelimited(ByteString.copyFrom(new byte[1000]))
                                .build())
                .build();
        Message sent = ContainerCreateRequest.newBuilder()
                .setContainer(ContainerMessage.newBuilder().setLabel("c").setUnknownFields(much))
                .build();

        ContainerCreateRequest got = limits.parse(
                ContainerCreateRequest.parser(), sent.toByteString().asReadOnlyByteBuffer());

        assertEquals(
                ContainerCreateRequest.newBuilder()
                        .setContainer(ContainerMessage.newBuilder().setLabel("c"))
                        .build(),
                got);
    }

    @Test
    void shouldFailAtOnceWhenAFieldIsMisspelt() {
        assertThrows(
                IllegalArgumentException.class, () -> limits.withCount(PoolTargetsRequest.getDescriptor(), "rank", 1));
    }
}
