// A Vulkan layer that asks the driver's compiler what it made of every compute pipeline, by VK_KHR_pipeline_executable_properties.
// It stands under pipelines.rs, which has one device and makes one pipeline after the other. To the folder PIPESTATS it writes
// stats.tsv (number of the pipeline, entry point, executable, lanes, statistic, value) and the assembly as NNN.EXECUTABLE.asm.
// Where PIPESTATS_UNCHECKED is set the device is made without robust buffer access, which wgpu asks for whatever the shaders are.
// cc -fPIC -shared -o layer.so layer.c
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vulkan/vk_layer.h>
#include <vulkan/vulkan.h>

#define EXTENSION VK_KHR_PIPELINE_EXECUTABLE_PROPERTIES_EXTENSION_NAME
#define NEXT(get, handle, name) PFN_vk##name name = (PFN_vk##name)get(handle, "vk" #name)

static VkInstance the_instance;
static PFN_vkGetInstanceProcAddr next_of_instance;
static PFN_vkGetDeviceProcAddr next_of_device;
static int asks, pipelines;

static void fail(const char *problem) {
    fprintf(stderr, "layer: %s\n", problem);
    exit(1);
}

static void *room(size_t count, size_t size) {
    void *found = calloc(count + 1, size);
    if (!found) fail("out of memory");
    return found;
}

static FILE *open_in_folder(const char *mode, const char *name) {
    char path[4096];
    const char *folder = getenv("PIPESTATS");
    if (!folder) fail("PIPESTATS names no folder");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, mode);
    if (!file) fail(path);
    return file;
}

// The link of a layer's chain, which the loader puts among the structures that a call is given.
static void *link_of(const void *next, VkStructureType type) {
    for (VkLayerInstanceCreateInfo *s = (void *)next; s; s = (void *)s->pNext)
        if (s->sType == type && s->function == VK_LAYER_LINK_INFO) return s;
    fail("the loader gave no link");
    return NULL;
}

static VkResult VKAPI_CALL create_instance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *alloc, VkInstance *made) {
    VkLayerInstanceCreateInfo *link = link_of(info->pNext, VK_STRUCTURE_TYPE_LOADER_INSTANCE_CREATE_INFO);
    next_of_instance = link->u.pLayerInfo->pfnNextGetInstanceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    NEXT(next_of_instance, NULL, CreateInstance);
    VkResult result = CreateInstance(info, alloc, made);
    the_instance = *made;
    return result;
}

// In place: the structures are the program's, and it makes one device.
static void leave_out_checks(VkDeviceCreateInfo *info) {
    if (info->pEnabledFeatures) ((VkPhysicalDeviceFeatures *)info->pEnabledFeatures)->robustBufferAccess = VK_FALSE;
    for (VkBaseOutStructure *s = (void *)info->pNext; s; s = s->pNext) {
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2)
            ((VkPhysicalDeviceFeatures2 *)s)->features.robustBufferAccess = VK_FALSE;
        if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT)
            ((VkPhysicalDeviceRobustness2FeaturesEXT *)s)->robustBufferAccess2 = VK_FALSE;
    }
}

static VkResult VKAPI_CALL create_device(VkPhysicalDevice gpu, const VkDeviceCreateInfo *info, const VkAllocationCallbacks *alloc,
                                         VkDevice *made) {
    VkLayerDeviceCreateInfo *link = link_of(info->pNext, VK_STRUCTURE_TYPE_LOADER_DEVICE_CREATE_INFO);
    next_of_device = link->u.pLayerInfo->pfnNextGetDeviceProcAddr;
    link->u.pLayerInfo = link->u.pLayerInfo->pNext;
    NEXT(next_of_instance, the_instance, CreateDevice);
    NEXT(next_of_instance, the_instance, EnumerateDeviceExtensionProperties);

    uint32_t count = 0;
    EnumerateDeviceExtensionProperties(gpu, NULL, &count, NULL);
    VkExtensionProperties *known = room(count, sizeof *known);
    EnumerateDeviceExtensionProperties(gpu, NULL, &count, known);
    for (uint32_t i = 0; i < count; i++) asks |= !strcmp(known[i].extensionName, EXTENSION);
    free(known);
    if (!asks) return CreateDevice(gpu, info, alloc, made);

    VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR feature = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR, (void *)info->pNext, VK_TRUE};
    const char **names = room(info->enabledExtensionCount + 1, sizeof *names);
    for (uint32_t i = 0; i < info->enabledExtensionCount; i++) names[i] = info->ppEnabledExtensionNames[i];
    names[info->enabledExtensionCount] = EXTENSION;
    VkDeviceCreateInfo changed = *info;
    if (getenv("PIPESTATS_UNCHECKED")) leave_out_checks(&changed);
    changed.pNext = &feature;
    changed.ppEnabledExtensionNames = names;
    changed.enabledExtensionCount++;
    VkResult result = CreateDevice(gpu, &changed, alloc, made);
    free(names);
    return result;
}

static void write_statistics(VkDevice device, VkPipelineExecutableInfoKHR *of, const char *entry, VkPipelineExecutablePropertiesKHR *is) {
    NEXT(next_of_device, device, GetPipelineExecutableStatisticsKHR);
    uint32_t count = 0;
    GetPipelineExecutableStatisticsKHR(device, of, &count, NULL);
    VkPipelineExecutableStatisticKHR *all = room(count, sizeof *all);
    for (uint32_t i = 0; i < count; i++) all[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
    GetPipelineExecutableStatisticsKHR(device, of, &count, all);
    FILE *file = open_in_folder("a", "stats.tsv");
    for (uint32_t i = 0; i < count; i++) {
        fprintf(file, "%d\t%s\t%u\t%u\t%s\t", pipelines, entry, of->executableIndex, is->subgroupSize, all[i].name);
        switch (all[i].format) {
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_FLOAT64_KHR: fprintf(file, "%g\n", all[i].value.f64); break;
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR: fprintf(file, "%u\n", all[i].value.b32); break;
        default: fprintf(file, "%lld\n", (long long)all[i].value.i64);
        }
    }
    fclose(file);
    free(all);
}

static void write_assembly(VkDevice device, VkPipelineExecutableInfoKHR *of) {
    NEXT(next_of_device, device, GetPipelineExecutableInternalRepresentationsKHR);
    uint32_t count = 0;
    GetPipelineExecutableInternalRepresentationsKHR(device, of, &count, NULL);
    VkPipelineExecutableInternalRepresentationKHR *all = room(count, sizeof *all);
    for (uint32_t i = 0; i < count; i++) all[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR;
    GetPipelineExecutableInternalRepresentationsKHR(device, of, &count, all);
    for (uint32_t i = 0; i < count; i++) all[i].pData = room(all[i].dataSize, 1);
    GetPipelineExecutableInternalRepresentationsKHR(device, of, &count, all);
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].isText && strstr(all[i].name, "ssembly")) {
            char name[32];
            snprintf(name, sizeof name, "%d.%u.asm", pipelines, of->executableIndex);
            FILE *file = open_in_folder("w", name);
            fputs(all[i].pData, file);
            fclose(file);
        }
        free(all[i].pData);
    }
    free(all);
}

static VkResult VKAPI_CALL create_pipelines(VkDevice device, VkPipelineCache cache, uint32_t count, const VkComputePipelineCreateInfo *infos,
                                            const VkAllocationCallbacks *alloc, VkPipeline *made) {
    NEXT(next_of_device, device, CreateComputePipelines);
    NEXT(next_of_device, device, GetPipelineExecutablePropertiesKHR);
    VkComputePipelineCreateInfo *changed = room(count, sizeof *changed);
    memcpy(changed, infos, count * sizeof *changed);
    for (uint32_t i = 0; i < count && asks; i++)
        changed[i].flags |= VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR | VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR;
    VkResult result = CreateComputePipelines(device, cache, count, changed, alloc, made);
    for (uint32_t i = 0; i < count && asks && result == VK_SUCCESS; i++, pipelines++) {
        // A pipeline may have several executables, as for 8 and for 16 lanes.
        VkPipelineInfoKHR info = {VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, NULL, made[i]};
        uint32_t executables = 0;
        GetPipelineExecutablePropertiesKHR(device, &info, &executables, NULL);
        VkPipelineExecutablePropertiesKHR *all = room(executables, sizeof *all);
        for (uint32_t e = 0; e < executables; e++) all[e].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR;
        GetPipelineExecutablePropertiesKHR(device, &info, &executables, all);
        for (uint32_t e = 0; e < executables; e++) {
            VkPipelineExecutableInfoKHR of = {VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, NULL, made[i], e};
            write_statistics(device, &of, infos[i].stage.pName, &all[e]);
            write_assembly(device, &of);
        }
        free(all);
    }
    free(changed);
    return result;
}

static PFN_vkVoidFunction VKAPI_CALL of_instance(VkInstance instance, const char *name);
static PFN_vkVoidFunction VKAPI_CALL of_device(VkDevice device, const char *name);

static PFN_vkVoidFunction own(const char *name) {
    if (!strcmp(name, "vkGetInstanceProcAddr")) return (PFN_vkVoidFunction)of_instance;
    if (!strcmp(name, "vkGetDeviceProcAddr")) return (PFN_vkVoidFunction)of_device;
    if (!strcmp(name, "vkCreateInstance")) return (PFN_vkVoidFunction)create_instance;
    if (!strcmp(name, "vkCreateDevice")) return (PFN_vkVoidFunction)create_device;
    if (!strcmp(name, "vkCreateComputePipelines")) return (PFN_vkVoidFunction)create_pipelines;
    return NULL;
}

static PFN_vkVoidFunction VKAPI_CALL of_instance(VkInstance instance, const char *name) {
    PFN_vkVoidFunction found = own(name);
    return found || !instance ? found : next_of_instance(instance, name);
}

static PFN_vkVoidFunction VKAPI_CALL of_device(VkDevice device, const char *name) {
    PFN_vkVoidFunction found = own(name);
    return found ? found : next_of_device(device, name);
}

VkResult VKAPI_CALL vkNegotiateLoaderLayerInterfaceVersion(VkNegotiateLayerInterface *with) {
    with->loaderLayerInterfaceVersion = 2;
    with->pfnGetInstanceProcAddr = of_instance;
    with->pfnGetDeviceProcAddr = of_device;
    with->pfnGetPhysicalDeviceProcAddr = NULL;
    return VK_SUCCESS;
}
