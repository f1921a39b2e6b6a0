package io.daosmesh.model.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.limit.MessageLimits;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.pool.TargetState;
import io.daosmesh.model.ras.RasLine;
import io.daosmesh.model.wire.FaultMessage;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.JoinRequest;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.PoolMapMessage;
import io.daosmesh.model.wire.RasEventMessage;
import io.daosmesh.model.wire.SetupMessage;
import io.daosmesh.model.wire.UpdateRequest;
import java.nio.ByteBuffer;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Messages of peers that are damaged, or that no release makes. */
@Tag("fuzz")
class DamagedMessagesTest {
    private static final int LINE_CHARS_MAX = 4096;

    private interface Parser {
        Object parse(byte[] input) throws InvalidProtocolBufferException;
    }

    /** What no protobuf can read at all is refused with PROTO by every caller. */
    private static Fuzz.Reader parsed(Parser parser) {
        return input -> {
            try {
                parser.parse(input);
            } catch (InvalidProtocolBufferException e) {
                throw Fault.of(FaultCode.PROTO).asException();
            }
        };
    }

    private static byte[] sample(Descriptor type) {
        return Samples.of(type).toByteArray();
    }

    /** Every message of the protocol, with the fields of nested ones in it. */
    @Test
    void shouldParseOrRefuseEveryMessage() throws Exception {
        MessageLimits limits = MessageLimits.of(64, 260);
        List<Descriptor> types = new ArrayList<>();
        for (FileDescriptor file : List.of(
                LogCommand.getDescriptor().getFile(),
                JoinRequest.getDescriptor().getFile(),
                UpdateRequest.getDescriptor().getFile(),
                SetupMessage.getDescriptor().getFile())) {
            types.addAll(file.getMessageTypes());
        }
        assertTrue(types.size() > 50);
        Fuzz all = Fuzz.of("message");
        for (Descriptor type : types) all.good(sample(type));
        int[] turn = {0};
        all.run(parsed(input -> {
            Descriptor type = types.get(turn[0]++ % types.size());
            Message read =
                    limits.parse(DynamicMessage.getDefaultInstance(type).getParserForType(), ByteBuffer.wrap(input));
            return read;
        }));
    }

    @Test
    void shouldRefuseDamagedPoolMap() throws Exception {
        List<PoolTarget> targets = new ArrayList<>();
        for (int i = 0; i < 8; i++)
            targets.add(new PoolTarget(i, i / 2, i % 2, "/n" + i / 2, TargetState.UPIN, false, 1));
        Fuzz.of("pool map")
                .good(new PoolMap(new UUID(3, 3), 1, targets).toWire().toByteArray())
                .run(parsed(in -> PoolMap.fromWire(PoolMapMessage.parseFrom(in)).toWire()));
    }

    @Test
    void shouldRefuseDamagedGroupMap() throws Exception {
        List<Member> members = new ArrayList<>();
        for (int r = 0; r < 4; r++)
            members.add(new Member(r, new UUID(r, r), "host:" + (1 + r), "/n" + r, MemberState.JOINED, 1, 2, 0, "", 0));
        Fuzz.of("group map")
                .good(new GroupMap("test", 1, members).toWire().toByteArray())
                .run(parsed(
                        in -> GroupMap.fromWire(GroupMapMessage.parseFrom(in)).toWire()));
    }

    @Test
    void shouldReadFaultOfAnyPeer() throws Exception {
        Fuzz.of("fault")
                .good(Fault.of(FaultCode.BUSY, "full")
                        .with("max", 7)
                        .remedy("wait")
                        .toWire()
                        .toByteArray())
                .run(parsed(in -> Fault.fromWire(FaultMessage.parseFrom(in)).toString()));
    }

    @Test
    void shouldWriteOneLineForAnyEvent() throws Exception {
        RasEventMessage event = RasEventMessage.newBuilder()
                .setId("swim_rank_dead")
                .setTypeValue(1)
                .setSeverityValue(1)
                .setTimestampUs(1_700_000_000_000_000L)
                .setHost("node1")
                .setMessage("rank 3 is dead")
                .putAllFields(Map.of("rank", "3", "pool", "tank"))
                .build();
        Fuzz.of("RAS event").good(event.toByteArray()).run(parsed(in -> {
            String line = RasLine.of(RasEventMessage.parseFrom(in), ZoneOffset.UTC);
            assertTrue(line.length() < LINE_CHARS_MAX, line);
            assertTrue(line.chars().noneMatch(c -> c == '\n' || c == '\r'), line);
            return line;
        }));
    }
}
