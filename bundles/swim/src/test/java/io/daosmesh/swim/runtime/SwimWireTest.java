package io.daosmesh.swim.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.model.wire.SwimMessage.Kind;
import io.daosmesh.model.wire.SwimUpdateMessage;
import io.daosmesh.swim.MemberState;
import io.daosmesh.swim.SwimMessage;
import io.daosmesh.swim.SwimUpdate;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SwimWireTest {
    @Test
    void shouldReadWhatItWrote() throws Exception {
        SwimMessage message = new SwimMessage(
                3,
                -5L,
                77,
                9,
                true,
                List.of(
                        new SwimUpdate(1, MemberState.SUSPECT, 12, List.of(4, 5), 0),
                        SwimUpdate.of(2, MemberState.DEAD, Long.MAX_VALUE),
                        new SwimUpdate(3, MemberState.RESTARTING, 13, List.of(), 9_000_000_000L),
                        SwimUpdate.of(0, MemberState.ALIVE, 1)));

        for (Kind kind : List.of(Kind.PING, Kind.PING_REQ, Kind.ACK, Kind.NACK)) {
            assertEquals(
                    new SwimWire.Received(kind, message), SwimWire.fromWire(bytes(SwimWire.toWire(kind, message))));
        }
    }

    @Test
    void shouldRefuseGarbageAndUnknownKinds() {
        var unknown =
                io.daosmesh.model.wire.SwimMessage.newBuilder().setKindValue(9).build();

        assertThrows(InvalidProtocolBufferException.class, () -> SwimWire.fromWire(bytes(unknown)));
        assertThrows(
                InvalidProtocolBufferException.class,
                () -> SwimWire.fromWire(ByteBuffer.wrap(new byte[] {-1, -1, -1, -1, 1})));
    }

    @Test
    void shouldLeaveOutUnknownStatesAndCutTooManyUpdates() throws Exception {
        var wire = io.daosmesh.model.wire.SwimMessage.newBuilder();
        wire.addUpdates(SwimUpdateMessage.newBuilder().setStateValue(17));
        IntStream.range(0, 500)
                .forEach(rank -> wire.addUpdates(SwimUpdateMessage.newBuilder().setRank(rank)));

        assertEquals(
                63, SwimWire.fromWire(bytes(wire.build())).message().updates().size());
    }

    private static ByteBuffer bytes(io.daosmesh.model.wire.SwimMessage message) {
        return ByteBuffer.wrap(message.toByteArray());
    }
}
