package io.daosmesh.client.value;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.EnumSet;
import java.util.Set;

/**
 * What is known of a change whose call has ended in an error: whoever wants to clean up behind it has to ask first. An
 * answer that was lost, an abort that a dying leader could not spread, a request that is still on its way: with any of
 * these the change may have been carried out, or may be yet.
 */
public enum Outcome {
    /** It was refused before anything was done, at each of its tries. */
    NOT_DONE,
    UNKNOWN;

    private static final String ARGUMENT = "outcome";
    private static final String IS_UNKNOWN = "unknown";

    /**
     * Refusals that come before a change is begun. Not among them: NOSPACE, which a single member may say when others have
     * prepared the change already; AGAIN and INPROGRESS, which say that it was begun; whatever means that no answer came.
     */
    private static final Set<FaultCode> REFUSALS = EnumSet.of(
            FaultCode.NO_PERM,
            FaultCode.NO_HDL,
            FaultCode.INVAL,
            FaultCode.EXIST,
            FaultCode.NONEXIST,
            FaultCode.TX_RESTART,
            FaultCode.KEY2BIG,
            FaultCode.REC2BIG,
            FaultCode.OVERFLOW,
            FaultCode.NOSYS,
            FaultCode.NOTSUPPORTED,
            FaultCode.UNREG,
            FaultCode.OOG,
            FaultCode.STALE,
            FaultCode.NOTLEADER,
            FaultCode.BUSY,
            FaultCode.CSUM,
            FaultCode.DATA_LOSS,
            FaultCode.RF,
            FaultCode.BADPATH,
            FaultCode.NOTDIR,
            FaultCode.NO_CERT,
            FaultCode.BAD_CERT);

    /** Of a change that ended in this error, all its tries included. */
    public static Outcome of(Throwable error) {
        return of(FaultException.faultOf(error));
    }

    public static Outcome of(Fault fault) {
        boolean isMarked = fault.argument(ARGUMENT).filter(IS_UNKNOWN::equals).isPresent();
        return !isMarked && REFUSALS.contains(fault.code()) ? NOT_DONE : UNKNOWN;
    }

    /** The fault of a last try after one whose outcome is not known: a refusal now says nothing about that one. */
    public static Fault unknown(Fault last) {
        return last.with(ARGUMENT, IS_UNKNOWN);
    }
}
