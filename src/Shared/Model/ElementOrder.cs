namespace Distributed.Model;

/// <summary>The order in which the elements of one sample of C x H x W lie. Where C or H x W is 1, all orders are the same bytes.</summary>
internal enum ElementOrder
{
    /// <summary>Either: the layer does the same to each element, and leaves the order as it is.</summary>
    Any = 0,

    /// <summary>Channel by channel (C, H, W), as samples are stored and as PyTorch flattens them.</summary>
    Planar,

    /// <summary>Pixel by pixel (H, W, C): a convolution reads all channels of a pixel at once.</summary>
    ChannelsLast,
}
