package io.daosmesh.admin.view;

import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.admin.grammar.RankSet;
import io.daosmesh.admin.view.SystemView.Members;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.SystemQueryReply;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which members an administrator means: by rank, by host, or all. Immutable. */
public record RankSelection(List<Integer> ranks, List<String> hosts) {
    public static final RankSelection ALL = new RankSelection(List.of(), List.of());

    /** @param ranks as {@code 0,5-10}; at most one of the two is given */
    public static RankSelection parse(@Nullable String ranks, @Nullable String hosts) {
        if (ranks != null && hosts != null) {
            throw Fault.of(FaultCode.INVAL, "--ranks and --rank-hosts options cannot be set together")
                    .asException();
        }
        return new RankSelection(
                ranks == null ? List.of() : RankSet.parse(ranks), hosts == null ? List.of() : HostList.parse(hosts));
    }

    /** Those there are, and what of the selection is not. */
    public Members among(SystemQueryReply system) {
        List<MemberMessage> members = new ArrayList<>();
        TreeSet<Integer> absentRanks = new TreeSet<>(ranks);
        TreeSet<String> absentHosts = new TreeSet<>(hosts);
        for (MemberMessage m : system.getGroupMap().getMembersList()) {
            Optional<String> host = hosts.stream()
                    .filter(h -> h.equals(m.getAddress()) || h.equals(HostList.name(m.getAddress())))
                    .findFirst();
            host.ifPresent(absentHosts::remove);
            absentRanks.remove(m.getRank());
            boolean all = ranks.isEmpty() && hosts.isEmpty();
            if (all || ranks.contains(m.getRank()) || host.isPresent()) members.add(m);
        }
        return new Members(
                system.getGroupMap().getSystem(),
                system.getGroupMap().getVersion(),
                members,
                List.copyOf(absentRanks),
                List.copyOf(absentHosts));
    }
}
