namespace Distributed.Random;

/// <summary>What random numbers are for. Each purpose has sequences of its own, so that adding one never changes another.</summary>
/// <remarks>The values are part of the numerics: they decide the trained weights and must not change. They fit in 8 bits.</remarks>
internal enum RandomPurpose : uint
{
    /// <summary>No draws belong to it.</summary>
    None = 0,

    /// <summary>The order of the samples; the stream is the epoch.</summary>
    Shuffle = 1,

    /// <summary>Initial weights; the stream is the index of the parameter.</summary>
    InitialWeights = 2,

    /// <summary>Dropped activations; the stream is the step, and in its upper bits which of the model's layers draws.</summary>
    Dropout = 3,

    /// <summary>Changes to a sample; the stream is the step.</summary>
    Augmentation = 4,

    /// <summary>The order of blocks of samples, inside which they are shuffled; the stream is the epoch.</summary>
    ShuffleBlocks = 5,

    /// <summary>The order in which a column's values are given to other samples; the stream is the column and the repetition.</summary>
    PermutationImportance = 6,
}
