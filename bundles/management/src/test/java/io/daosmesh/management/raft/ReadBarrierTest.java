package io.daosmesh.management.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.ratis.proto.RaftProtos.RaftPeerRole;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftConfiguration;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** What a leader of term 7 called "a" makes of the terms of the others; those not named do not answer. */
class ReadBarrierTest {
    private static void confirm(List<String> now, List<String> before, Map<String, Long> terms) {
        new ReadBarrier(RaftPeerId.valueOf("a"), 7, new Voters(now, before))
                .confirm(p -> {
                    Long term = terms.get(p.toString());
                    return term == null ? Mono.error(Fault.of(FaultCode.UNREACH).asException()) : Mono.just(term);
                })
                .block();
    }

    private static FaultCode refused(List<String> now, List<String> before, Map<String, Long> terms) {
        return assertThrows(FaultException.class, () -> confirm(now, before, terms))
                .code();
    }

    @Test
    void shouldConfirmWhenAMajorityWithTheLeaderIsInNoLaterTerm() {
        confirm(List.of("a"), List.of(), Map.of());
        confirm(List.of("a", "b", "c"), List.of(), Map.of("b", 7L));
        confirm(List.of("a", "b", "c"), List.of(), Map.of("c", 6L));
        confirm(List.of("a", "b", "c", "d", "e"), List.of(), Map.of("b", 7L, "e", 7L));
    }

    @Test
    void shouldNotConfirmWithoutAMajority() {
        assertEquals(FaultCode.AGAIN, refused(List.of("a", "b", "c"), List.of(), Map.of()));
        assertEquals(FaultCode.AGAIN, refused(List.of("a", "b"), List.of(), Map.of()));
        assertEquals(FaultCode.AGAIN, refused(List.of("a", "b", "c", "d"), List.of(), Map.of("b", 7L)));
    }

    @Test
    void shouldNotLeadAnyMoreWhenALaterTermHasBegun() {
        assertEquals(FaultCode.NOTLEADER, refused(List.of("a", "b", "c"), List.of(), Map.of("b", 8L)));
        assertEquals(FaultCode.NOTLEADER, refused(List.of("a", "b", "c"), List.of(), Map.of("b", 8L, "c", 9L)));
    }

    @Test
    void shouldNeedTheOldAndTheNewVotersWhileTheyAreChanged() {
        List<String> now = List.of("a", "b", "c");
        List<String> before = List.of("a", "d", "e");

        confirm(now, before, Map.of("b", 7L, "d", 7L));

        assertEquals(FaultCode.AGAIN, refused(now, before, Map.of("b", 7L, "c", 7L)));
        assertEquals(FaultCode.AGAIN, refused(now, before, Map.of("d", 7L, "e", 7L)));
    }

    @Test
    void shouldNotCountALeaderThatIsNoVoterAnyMore() {
        assertEquals(FaultCode.AGAIN, refused(List.of("b", "c", "d"), List.of(), Map.of("b", 7L)));
        confirm(List.of("b", "c", "d"), List.of(), Map.of("b", 7L, "d", 7L));
    }

    private record Voters(List<String> now, List<String> before) implements RaftConfiguration {
        private static List<RaftPeer> peers(Collection<String> ids) {
            return ids.stream().map(i -> RaftPeer.newBuilder().setId(i).build()).toList();
        }

        @Override
        public RaftPeer getPeer(RaftPeerId id, RaftPeerRole... roles) {
            return RaftPeer.newBuilder().setId(id).build();
        }

        @Override
        public Collection<RaftPeer> getAllPeers(RaftPeerRole role) {
            return peers(new ArrayList<>(
                    Stream.concat(now.stream(), before.stream()).distinct().toList()));
        }

        @Override
        public Collection<RaftPeer> getCurrentPeers(RaftPeerRole role) {
            return peers(now);
        }

        @Override
        public Collection<RaftPeer> getPreviousPeers(RaftPeerRole role) {
            return peers(before);
        }

        @Override
        public long getLogEntryIndex() {
            return 1;
        }
    }
}
