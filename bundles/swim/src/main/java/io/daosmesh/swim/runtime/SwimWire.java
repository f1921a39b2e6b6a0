package io.daosmesh.swim.runtime;

import com.google.protobuf.InvalidProtocolBufferException;
import io.daosmesh.model.wire.SwimMessage.Kind;
import io.daosmesh.model.wire.SwimUpdateMessage;
import io.daosmesh.swim.MemberState;
import io.daosmesh.swim.SwimMessage;
import io.daosmesh.swim.SwimUpdate;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Gossip to and from its wire form ({@code swim.proto}). Stateless. */
final class SwimWire {
    /** More than any configuration sends; a message with more is cut there. */
    private static final int UPDATES_MAX = 64;

    private static final long NS_PER_MS = 1_000_000L;

    record Received(Kind kind, SwimMessage message) {}

    private SwimWire() {}

    static io.daosmesh.model.wire.SwimMessage toWire(Kind kind, SwimMessage message) {
        var wire = io.daosmesh.model.wire.SwimMessage.newBuilder()
                .setKind(kind)
                .setFrom(message.from())
                .setFromIncarnation(message.fromIncarnation())
                .setSequence(message.sequence())
                .setSubject(message.target())
                .setRefused(message.refused());
        for (SwimUpdate update : message.updates()) {
            wire.addUpdates(SwimUpdateMessage.newBuilder()
                    .setRank(update.rank())
                    .setState(toWire(update.state()))
                    .setIncarnation(update.incarnation())
                    .setRestartingMs((int) (update.restartForNs() / NS_PER_MS))
                    .setSuspectedBy(
                            update.accusers().isEmpty() ? -1 : update.accusers().get(0))
                    .addAllAccusers(update.accusers()));
        }
        return wire.build();
    }

    /** Updates with a state this release does not know are left out; an unknown kind is an error. */
    static Received fromWire(ByteBuffer body) throws InvalidProtocolBufferException {
        var wire = io.daosmesh.model.wire.SwimMessage.parseFrom(body);
        if (wire.getKind() == Kind.UNRECOGNIZED) {
            throw new InvalidProtocolBufferException("unknown kind of gossip " + wire.getKindValue());
        }
        List<SwimUpdate> updates = new ArrayList<>();
        int count = Math.min(UPDATES_MAX, wire.getUpdatesCount());
        for (int i = 0; i < count; i++) {
            SwimUpdateMessage update = wire.getUpdates(i);
            MemberState state = fromWire(update.getState());
            if (state != null) {
                updates.add(new SwimUpdate(
                        update.getRank(),
                        state,
                        update.getIncarnation(),
                        update.getAccusersList(),
                        Integer.toUnsignedLong(update.getRestartingMs()) * NS_PER_MS));
            }
        }
        SwimMessage message = new SwimMessage(
                wire.getFrom(),
                wire.getFromIncarnation(),
                wire.getSequence(),
                wire.getSubject(),
                wire.getRefused(),
                updates);
        return new Received(wire.getKind(), message);
    }

    /** INACTIVE says "I know nothing": it goes out as ALIVE of the listed life, which tells its owner the same. */
    private static SwimUpdateMessage.State toWire(MemberState state) {
        return switch (state) {
            case INACTIVE, ALIVE -> SwimUpdateMessage.State.ALIVE;
            case SUSPECT -> SwimUpdateMessage.State.SUSPECT;
            case DEAD -> SwimUpdateMessage.State.DEAD;
            case RESTARTING -> SwimUpdateMessage.State.RESTARTING;
        };
    }

    /** Null = of another release. */
    private static @Nullable MemberState fromWire(SwimUpdateMessage.State state) {
        return switch (state) {
            case ALIVE -> MemberState.ALIVE;
            case SUSPECT -> MemberState.SUSPECT;
            case DEAD -> MemberState.DEAD;
            case RESTARTING -> MemberState.RESTARTING;
            case UNRECOGNIZED -> null;
        };
    }
}
