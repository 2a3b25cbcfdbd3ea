using System.Globalization;
using Distributed.Coordinator.Cluster.Control.Granting;

namespace Distributed.Coordinator.Cluster.Control.Failures;

/// <summary>Says of members that should have found the same who found what.</summary>
internal static class DisputeText
{
    /// <summary>Who differs from whom, in one line; the largest camp comes last.</summary>
    /// <param name="dispute">What was done, with two camps or more.</param>
    /// <param name="nameOf">A member's name.</param>
    public static string CauseOf(CompletedWork dispute, Func<int, string> nameOf)
    {
        var camps = dispute
            .Camps.OrderBy(camp => camp.Members.Count)
            .ThenByDescending(camp => camp.Members.Min())
            .Select(camp => Names(camp, nameOf))
            .ToList();
        var what = dispute.Work.Kind switch
        {
            WorkKind.Compare => "after step {0} the state of {1} differs from that of {2}",
            WorkKind.Evaluate or WorkKind.EvaluateHoldout => "the sums of the evaluation after step {0} of {1} differ from those of {2}",
            _ => "the sums of step {0} of {1} differ from those of {2}",
        };
        return string.Format(CultureInfo.InvariantCulture, what, dispute.Work.Step, string.Join(" and of ", camps[..^1]), camps[^1]);
    }

    private static string Names(Camp camp, Func<int, string> nameOf) => string.Join(", ", camp.Members.Order().Select(nameOf));
}
