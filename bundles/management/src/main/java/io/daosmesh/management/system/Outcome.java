package io.daosmesh.management.system;

import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.RankResultMessage;
import io.daosmesh.model.wire.SystemActionReply;
import java.util.Comparator;
import java.util.List;

/** What came of an action of the administrator for one rank. Immutable. */
public record Outcome(Member member, MemberState state, boolean errored, String message) {
    public static Outcome already(Member m) {
        return new Outcome(m, m.state(), false, "");
    }

    /** @param changed ranks that took the new state */
    public static Outcome marked(Member m, MemberState to, List<Integer> changed) {
        if (changed.contains(m.rank()) || m.state() == to) return new Outcome(m, to, false, "");
        String why = "a rank that is " + m.state().label() + " cannot become " + to.label();
        return new Outcome(m, m.state(), true, why);
    }

    public static SystemActionReply reply(String action, List<Outcome> outcomes) {
        SystemActionReply.Builder b = SystemActionReply.newBuilder();
        outcomes.stream()
                .sorted(Comparator.comparingInt(o -> o.member().rank()))
                .forEach(o -> b.addResults(RankResultMessage.newBuilder()
                        .setRank(o.member().rank())
                        .setAddress(o.member().address())
                        .setState(o.state.toWire())
                        .setErrored(o.errored)
                        .setMessage(o.message)
                        .setAction(action)));
        return b.build();
    }
}
